// SPDX-License-Identifier: Apache-2.0
// The table of REST routes.
#include "rest.h"

enum {
    READ = AG_POLICY_REGISTRY_READ,
    WRITE = AG_POLICY_REGISTRY_WRITE,
    SERVICE = AG_POLICY_SERVICE,
    ENROLLMENT_READ = AG_POLICY_ENROLLMENT_READ,
    ENROLLMENT_WRITE = AG_POLICY_ENROLLMENT_WRITE,
};

const struct ag_http_route ag_rest_routes[] = {
    { EVHTTP_REQ_GET, "/devices", READ, ag_rest_devices_list },
    { EVHTTP_REQ_POST, "/devices/query", READ | SERVICE, ag_rest_twins_query },
    { EVHTTP_REQ_PUT, "/devices/*", WRITE, ag_rest_devices_put },
    { EVHTTP_REQ_GET, "/devices/*", READ, ag_rest_devices_get },
    { EVHTTP_REQ_DELETE, "/devices/*", WRITE, ag_rest_devices_delete },
    { EVHTTP_REQ_GET, "/twins/*", SERVICE, ag_rest_twins_get },
    { EVHTTP_REQ_PATCH, "/twins/*", SERVICE, ag_rest_twins_patch },
    { EVHTTP_REQ_PUT, "/twins/*", SERVICE, ag_rest_twins_put },
    { EVHTTP_REQ_POST, "/twins/*/methods", SERVICE, ag_rest_methods_invoke },
    { EVHTTP_REQ_PUT, "/enrollments/*", ENROLLMENT_WRITE, ag_rest_enrollments_put },
    { EVHTTP_REQ_GET, "/enrollments/*", ENROLLMENT_READ, ag_rest_enrollments_get },
    { EVHTTP_REQ_DELETE, "/enrollments/*", ENROLLMENT_WRITE, ag_rest_enrollments_delete },
    { EVHTTP_REQ_POST, "/enrollments/*/attestationmechanism", ENROLLMENT_READ,
      ag_rest_enrollments_keys },
    { EVHTTP_REQ_PUT, "/enrollmentGroups/*", ENROLLMENT_WRITE, ag_rest_enrollments_put },
    { EVHTTP_REQ_GET, "/enrollmentGroups/*", ENROLLMENT_READ, ag_rest_enrollments_get },
    { EVHTTP_REQ_DELETE, "/enrollmentGroups/*", ENROLLMENT_WRITE, ag_rest_enrollments_delete },
    { EVHTTP_REQ_POST, "/enrollmentGroups/*/attestationmechanism", ENROLLMENT_READ,
      ag_rest_enrollments_keys },
    { EVHTTP_REQ_GET, NULL, 0, NULL },
};
