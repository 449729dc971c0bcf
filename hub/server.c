// SPDX-License-Identifier: Apache-2.0
// The hub's network side.
//
// A connection's end: the session asks for it, queued bytes are sent, our side is shut, and what
// the client still sends is thrown away until it closes too or a moment has passed. Closing at once
// would make the kernel reset the connection, and the client might never read its CONNACK.
#include "server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "http.h"
#include "hub_log.h"
#include "memory.h"
#include "methods.h"
#include "mqtt_session.h"

#define OUTPUT_MAX     (1024 * 1024) // bytes queued for a client that does not read
#define INPUT_MAX      (2 * AG_MQTT_SESSION_PACKET_MAX)
#define CLOSE_TIMEOUT  5  // s, to take what is queued and to close
#define HTTP_TIMEOUT   60 // s without progress
#define LISTEN_BACKLOG 1024

enum link_state {
    LINK_OPEN,
    LINK_DRAINS,    // sends what is queued
    LINK_WAITS,     // our side is shut
    LINK_IS_DOOMED, // is freed by the next reaping
};

struct link {
    struct ag_server *server;
    struct bufferevent *stream;
    struct ag_mqtt_session *session;
    struct link *next;
    struct link *previous;
    enum link_state state;
};

struct ag_server {
    struct event_base *base;
    struct event *commit;
    struct event *tick;
    struct event *reap;
    struct event *resume; // listeners that ran out of descriptors listen again
    struct event *signals[2];
    struct ag_hub *hub;
    SSL_CTX *tls;
    struct evhttp *http;
    struct evconnlistener *mqtt_listener;
    struct evconnlistener *https_listener; // freed by evhttp
    struct link *links;
};

static const struct timeval now = { 0, 0 };

static void doom(struct link *link)
{
    link->state = LINK_IS_DOOMED;
    event_add(link->server->reap, &now);
}

static void free_link(struct link *link)
{
    if (link->previous != NULL)
        link->previous->next = link->next;
    else
        link->server->links = link->next;
    if (link->next != NULL)
        link->next->previous = link->previous;
    ag_mqtt_session_free(link->session);
    bufferevent_free(link->stream);
    free(link);
}

static void on_reap(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    struct ag_server *server = context;
    struct link *next;
    for (struct link *link = server->links; link != NULL; link = next) {
        next = link->next;
        if (link->state == LINK_IS_DOOMED)
            free_link(link);
    }
}

static void send_bytes(void *context, const void *bytes, size_t size)
{
    struct link *link = context;
    if (link->state != LINK_OPEN)
        return;
    if (evbuffer_get_length(bufferevent_get_output(link->stream)) > OUTPUT_MAX) {
        ag_hub_log_write(AG_HUB_LOG_WARN, "mqtt: %s does not read what it is sent",
                         link->session->client_id);
        doom(link);
        return;
    }
    bufferevent_write(link->stream, bytes, size);
}

// Everything is sent: say goodbye, and wait for the client to do so.
static void shut(struct link *link)
{
    SSL *ssl = bufferevent_openssl_get_ssl(link->stream);
    link->state = LINK_WAITS;
    if (SSL_is_init_finished(ssl))
        (void)SSL_shutdown(ssl);
    ERR_clear_error();
    (void)shutdown(bufferevent_getfd(link->stream), SHUT_WR);
}

static void close_link(void *context)
{
    struct link *link = context;
    static const struct timeval timeout = { CLOSE_TIMEOUT, 0 };
    if (link->state != LINK_OPEN)
        return;
    link->state = LINK_DRAINS;
    bufferevent_set_timeouts(link->stream, &timeout, &timeout);
    if (evbuffer_get_length(bufferevent_get_output(link->stream)) == 0)
        shut(link);
}

static const struct ag_mqtt_transport transport = { send_bytes, close_link };

static void on_written(struct bufferevent *stream, void *context)
{
    (void)stream;
    struct link *link = context;
    if (link->state == LINK_DRAINS)
        shut(link);
}

static void on_read(struct bufferevent *stream, void *context)
{
    struct link *link = context;
    struct evbuffer *input = bufferevent_get_input(stream);
    size_t size = evbuffer_get_length(input);
    if (link->state != LINK_OPEN) {
        evbuffer_drain(input, size);
        return;
    }
    if (size < link->session->wanted)
        return;
    const uint8_t *bytes = evbuffer_pullup(input, -1);
    size_t used = ag_mqtt_session_feed(link->session, bytes, size);
    evbuffer_drain(input, used);
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    (void)stream;
    struct link *link = context;
    if ((what & BEV_EVENT_CONNECTED) != 0 || link->state == LINK_IS_DOOMED)
        return;
    if (link->state == LINK_OPEN) {
        // Also logs and detaches; what it queues is not sent any more.
        link->state = LINK_IS_DOOMED;
        ag_mqtt_session_close(link->session, "the connection is gone");
    }
    doom(link);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int size, void *context)
{
    (void)listener;
    (void)address;
    (void)size;
    struct ag_server *server = context;
    SSL *ssl = SSL_new(server->tls);
    struct bufferevent *stream =
        ssl == NULL ? NULL
                    : bufferevent_openssl_socket_new(
                          server->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (stream == NULL) {
        SSL_free(ssl);
        close(fd);
        return;
    }
    struct link *link = ag_memory_zeroed(sizeof *link);
    link->server = server;
    link->stream = stream;
    link->session = ag_mqtt_session_new(server->hub, &transport, link);
    link->next = server->links;
    if (server->links != NULL)
        server->links->previous = link;
    server->links = link;
    bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
    bufferevent_setwatermark(stream, EV_READ, 0, INPUT_MAX);
    bufferevent_setcb(stream, on_read, on_written, on_event, link);
    bufferevent_enable(stream, EV_READ | EV_WRITE);
}

// Out of descriptors or memory: accepting is tried again in a second instead of in a busy loop.
static void on_accept_error(struct evconnlistener *listener, void *context)
{
    (void)listener;
    static const struct timeval second = { 1, 0 };
    struct ag_server *server = context;
    ag_hub_log_write(AG_HUB_LOG_WARN, "cannot accept connections: %s",
                     evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    evconnlistener_disable(server->mqtt_listener);
    evconnlistener_disable(server->https_listener);
    event_add(server->resume, &second);
}

static void on_resume(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    struct ag_server *server = context;
    evconnlistener_enable(server->mqtt_listener);
    evconnlistener_enable(server->https_listener);
}

static void on_commit(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    struct ag_server *server = context;
    ag_db_commit(&server->hub->db);
}

static void on_tick(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    struct ag_server *server = context;
    ag_hub_tick(server->hub);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
    (void)what;
    struct ag_server *server = context;
    ag_hub_log_write(AG_HUB_LOG_INFO, "stopping on %s", strsignal((int)number));
    event_base_loopbreak(server->base);
}

struct ag_server *ag_server_new(void)
{
    static const int numbers[] = { SIGINT, SIGTERM };
    struct ag_server *server = ag_memory_zeroed(sizeof *server);
    server->base = event_base_new();
    if (server->base == NULL)
        abort();
    server->commit = evtimer_new(server->base, on_commit, server);
    server->tick = event_new(server->base, -1, EV_PERSIST, on_tick, server);
    server->reap = evtimer_new(server->base, on_reap, server);
    server->resume = evtimer_new(server->base, on_resume, server);
    for (size_t i = 0; i < 2; i++) {
        server->signals[i] = evsignal_new(server->base, numbers[i], on_signal, server);
        event_add(server->signals[i], NULL);
    }
    (void)signal(SIGPIPE, SIG_IGN); // a peer that is gone is an error of writing, not the end
    (void)signal(SIGXFSZ, SIG_IGN); // as is a file that may not grow
    return server;
}

// A timer of zero fires behind the input that is ready now: the commit takes all of it together.
void ag_server_schedule_commit(void *context)
{
    struct ag_server *server = context;
    event_add(server->commit, &now);
}

static enum ag_status load_tls(struct ag_server *server)
{
    char *certificate = ag_memory_format("%s/server.pem", server->hub->data_path);
    char *key = ag_memory_format("%s/server.key", server->hub->data_path);
    server->tls = SSL_CTX_new(TLS_server_method());
    enum ag_status status = AG_OK;
    if (server->tls == NULL || SSL_CTX_set_min_proto_version(server->tls, TLS1_2_VERSION) != 1 ||
        SSL_CTX_use_certificate_chain_file(server->tls, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(server->tls, key, SSL_FILETYPE_PEM) != 1) {
        char reason[160];
        ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
        ag_hub_log_write(AG_HUB_LOG_ERROR, "tls: %s", reason);
        status = AG_ERR_IO;
    } else {
        SSL_CTX_set_options(server->tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
        SSL_CTX_set_mode(server->tls, SSL_MODE_RELEASE_BUFFERS); // 32 KiB less per idle connection
        SSL_CTX_set_session_cache_mode(server->tls, SSL_SESS_CACHE_OFF); // tickets do it
    }
    free(key);
    free(certificate);
    return status;
}

static bool make_address(const char *text, uint16_t port, struct sockaddr_storage *address,
                         int *size)
{
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        *size = sizeof *four;
        return true;
    }
    if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        *size = sizeof *six;
        return true;
    }
    return false;
}

static struct evconnlistener *bind_port(struct ag_server *server, const char *address,
                                        uint16_t port, evconnlistener_cb on_connection)
{
    struct sockaddr_storage where;
    int size;
    if (!make_address(address, port, &where, &size)) {
        ag_hub_log_write(AG_HUB_LOG_ERROR, "%s is not an IPv4 or IPv6 address", address);
        return NULL;
    }
    struct evconnlistener *listener =
        evconnlistener_new_bind(server->base, on_connection, server,
                                LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
                                LISTEN_BACKLOG, (struct sockaddr *)&where, size);
    if (listener == NULL) {
        ag_hub_log_write(AG_HUB_LOG_ERROR, "cannot listen on %s port %u: %s", address, port,
                         evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
        return NULL;
    }
    // Connections inherit it; without it an answer's second part waits for the first one's ACK.
    int on = 1;
    (void)setsockopt(evconnlistener_get_fd(listener), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    evconnlistener_set_error_cb(listener, on_accept_error);
    return listener;
}

static struct bufferevent *new_http_stream(struct event_base *base, void *context)
{
    struct ag_server *server = context;
    SSL *ssl = SSL_new(server->tls);
    struct bufferevent *stream = bufferevent_openssl_socket_new(
        base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (stream != NULL)
        bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
    return stream;
}

static void listen_http(struct ag_server *server)
{
    server->http = evhttp_new(server->base);
    evhttp_set_bevcb(server->http, new_http_stream, server);
    evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
                                                 EVHTTP_REQ_POST | EVHTTP_REQ_PATCH |
                                                 EVHTTP_REQ_DELETE);
    evhttp_set_max_headers_size(server->http, AG_HTTP_HEADER_MAX);
    evhttp_set_max_body_size(server->http, AG_HTTP_BODY_MAX);
    evhttp_set_timeout(server->http, HTTP_TIMEOUT);
    evhttp_set_default_content_type(server->http, NULL);
    evhttp_set_gencb(server->http, ag_http_handle, server->hub);
    evhttp_bind_listener(server->http, server->https_listener);
}

// As many connections as the system lets this process have.
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

enum ag_status ag_server_listen(struct ag_server *server, struct ag_hub *hub,
                                const struct ag_server_options *options)
{
    static const struct timeval second = { 1, 0 };
    server->hub = hub;
    raise_descriptor_limit();
    enum ag_status status = load_tls(server);
    if (status != AG_OK)
        return status;
    server->mqtt_listener = bind_port(server, options->address, options->mqtt_port, on_accept);
    if (server->mqtt_listener == NULL)
        return AG_ERR_IO;
    server->https_listener = bind_port(server, options->address, options->https_port, NULL);
    if (server->https_listener == NULL)
        return AG_ERR_IO;
    listen_http(server);
    event_add(server->tick, &second);
    return AG_OK;
}

static uint16_t port_of(struct evconnlistener *listener)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&address, &size) != 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

uint16_t ag_server_mqtt_port(const struct ag_server *server)
{
    return port_of(server->mqtt_listener);
}

uint16_t ag_server_https_port(const struct ag_server *server)
{
    return port_of(server->https_listener);
}

void ag_server_run(struct ag_server *server)
{
    event_base_dispatch(server->base);
}

void ag_server_free(struct ag_server *server)
{
    if (server->hub != NULL)
        ag_methods_close(server->hub);
    if (server->hub != NULL)
        ag_db_commit(&server->hub->db); // answers what waits, while its connections are there
    while (server->links != NULL) {
        SSL *ssl = bufferevent_openssl_get_ssl(server->links->stream);
        if (SSL_is_init_finished(ssl))
            (void)SSL_shutdown(ssl);
        free_link(server->links);
    }
    if (server->hub != NULL)
        ag_db_commit(&server->hub->db); // the times of disconnection
    if (server->http != NULL)
        evhttp_free(server->http);
    else if (server->https_listener != NULL)
        evconnlistener_free(server->https_listener);
    if (server->mqtt_listener != NULL)
        evconnlistener_free(server->mqtt_listener);
    SSL_CTX_free(server->tls);
    for (size_t i = 0; i < 2; i++)
        event_free(server->signals[i]);
    event_free(server->resume);
    event_free(server->reap);
    event_free(server->tick);
    event_free(server->commit);
    event_base_free(server->base);
    free(server);
}
