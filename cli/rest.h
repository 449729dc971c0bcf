// SPDX-License-Identifier: Apache-2.0
// HTTPS requests of the command line, on libcurl: the server's certificate is always verified, a
// busy server is asked again, and what went wrong is told in words.
#ifndef AG_CLI_REST_H
#define AG_CLI_REST_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Largest answer that is taken in, bytes.
#define AG_REST_ANSWER_MAX (32u << 20)

struct ag_rest_request {
    const char *method;         // "GET", "PUT", …
    const char *url;            // https only
    const char *const *headers; // "Name: value" each; NULL at the end; may be NULL
    const void *body;           // NULL: none
    size_t body_size;           //
    const char *ca_file;        // certificates to trust; "" or NULL: the system's
    const char *what;           // what is being done, for errors and progress: "publish app.wasm"
    uint32_t silence_s;         // given up when nothing comes for so long; 0: 30
    uint32_t attempts;          // in all, when the server answers 429 or 503; 0: 4
    uint64_t size_max;          // of the answer; 0: AG_REST_ANSWER_MAX
};

struct ag_rest_answer {
    const char *what;       // of the request; borrowed
    char host[280];         // that answered, with its port
    long status;            // HTTP
    char *body;             // NUL-terminated; never NULL after ag_rest_perform
    size_t size;            // bytes of body
    char etag[160];         // of the header, quotes included; "": none
    char error_code[80];    // x-ms-error-code; "": none
    char content_md5[32];   // base64; "": none
    uint32_t retry_after_s; // 0: none
};

// Sends the request and takes in the answer, whatever its status. Answers 429 and 503 are waited
// out as their Retry-After says (at most 60 s each, 1, 2, 4 s without one), within the number of
// attempts. Redirects are not followed. False when there was no answer: the error is printed, and
// *answer holds nothing. True: *answer is to be cleared.
bool ag_rest_perform(const struct ag_rest_request *request, struct ag_rest_answer *answer);

void ag_rest_clear(struct ag_rest_answer *answer);

// What the server says about an error, in one line.
struct ag_rest_error {
    char code[80];  // e.g. "DeviceNotFound", "AuthenticationFailed"; "": none given
    char text[400]; // "": none given; without control characters
};

// Reads the two forms of error body: IoT Hub's {"Message":"ErrorCode:NAME;text",…}, in which
// Message may itself be JSON, and Storage's <Error><Code>…</Code><Message>…</Message></Error>.
void ag_rest_read_error(const struct ag_rest_answer *answer, struct ag_rest_error *error);

// Prints `cannot WHAT: HOST says: TEXT (CODE, HTTP n)` with a hint for the status. Returns
// AG_EXIT_FAILED. `hint` counts more than the one for the status; NULL: none.
int ag_rest_fail(const struct ag_rest_answer *answer, const char *hint);

// `text` with everything but A-Z a-z 0-9 - . _ ~ as %XX, for a path segment or a query value.
// The caller frees it. NULL when memory is exhausted.
char *ag_rest_escape(const char *text);

#endif
