// SPDX-License-Identifier: Apache-2.0
// The handshake of TLS, one message a record. See the header.
#include "port/bare/handshake_frames.h"

#include <string.h>

#include "base/config.h"

enum {
    RECORD_HEAD = 5,
    MESSAGE_HEAD = 4,
    TYPE_ALERT = 21,
    TYPE_HANDSHAKE = 22,
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// The record's head is complete. Only handshake records are written anew: an alert is passed on,
// and what else may come before encryption begins is mbedTLS's to judge.
static enum ag_status begin_record(struct ag_handshake_frames *frames)
{
    const bool is_within = frames->message_left > 0 || frames->message_size > 0;
    frames->record_left = (uint16_t)(frames->head[3] << 8 | frames->head[4]);
    if (frames->head[0] == TYPE_HANDSHAKE) {
        frames->state =
            frames->message_left > 0 ? AG_HANDSHAKE_FRAMES_BODY : AG_HANDSHAKE_FRAMES_MESSAGE;
        return AG_OK;
    }
    if (is_within)
        return AG_ERR_MALFORMED;
    frames->message_left = frames->head[0] == TYPE_ALERT ? frames->record_left : 0;
    frames->give_size = RECORD_HEAD;
    frames->given = 0;
    frames->state = AG_HANDSHAKE_FRAMES_GIVE;
    return AG_OK;
}

static enum ag_status begin_message(struct ag_handshake_frames *frames)
{
    uint8_t *head = frames->head;
    const uint32_t size = (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8];
    if (size > AG_CFG_TLS_IN - MESSAGE_HEAD)
        return AG_ERR_NO_SPACE;
    head[3] = (uint8_t)((size + MESSAGE_HEAD) >> 8);
    head[4] = (uint8_t)(size + MESSAGE_HEAD);
    frames->message_left = size;
    frames->give_size = RECORD_HEAD + MESSAGE_HEAD;
    frames->given = 0;
    frames->state = AG_HANDSHAKE_FRAMES_GIVE;
    return AG_OK;
}

static enum ag_status gather_record(struct ag_handshake_frames *frames, struct ag_tcp *tcp)
{
    size_t got;
    const enum ag_status status = ag_tcp_read(tcp, frames->head + frames->record_size,
                                              (size_t)RECORD_HEAD - frames->record_size, &got);
    if (status != AG_OK)
        return status;
    frames->record_size = (uint8_t)(frames->record_size + got);
    return frames->record_size == RECORD_HEAD ? begin_record(frames) : AG_OK;
}

static enum ag_status gather_message(struct ag_handshake_frames *frames, struct ag_tcp *tcp)
{
    size_t got;
    const size_t want = least((size_t)MESSAGE_HEAD - frames->message_size, frames->record_left);
    const enum ag_status status =
        ag_tcp_read(tcp, frames->head + RECORD_HEAD + frames->message_size, want, &got);
    if (status != AG_OK)
        return status;
    frames->message_size = (uint8_t)(frames->message_size + got);
    frames->record_left = (uint16_t)(frames->record_left - got);
    return frames->message_size == MESSAGE_HEAD ? begin_message(frames) : AG_OK;
}

static void want_record(struct ag_handshake_frames *frames)
{
    frames->record_size = 0;
    frames->state = AG_HANDSHAKE_FRAMES_RECORD;
}

// The next piece of a head; at its end, what follows it.
static size_t give(struct ag_handshake_frames *frames, void *bytes, size_t capacity)
{
    const size_t size = least(capacity, (size_t)frames->give_size - frames->given);
    memcpy(bytes, frames->head + frames->given, size);
    frames->given = (uint8_t)(frames->given + size);
    if (frames->given < frames->give_size)
        return size;
    frames->message_size = 0;
    if (frames->head[0] == TYPE_HANDSHAKE || frames->head[0] == TYPE_ALERT)
        frames->state =
            frames->message_left > 0 ? AG_HANDSHAKE_FRAMES_BODY : AG_HANDSHAKE_FRAMES_MESSAGE;
    else
        frames->state = AG_HANDSHAKE_FRAMES_RAW;
    return size;
}

static enum ag_status pass_on(struct ag_handshake_frames *frames, struct ag_tcp *tcp, void *bytes,
                              size_t capacity, size_t *size)
{
    const size_t want = least(capacity, least(frames->message_left, frames->record_left));
    const enum ag_status status = ag_tcp_read(tcp, bytes, want, size);
    if (status != AG_OK)
        return status;
    frames->message_left -= (uint32_t)*size;
    frames->record_left = (uint16_t)(frames->record_left - *size);
    if (frames->message_left == 0)
        frames->state = AG_HANDSHAKE_FRAMES_MESSAGE;
    return AG_OK;
}

enum ag_status ag_handshake_frames_read(struct ag_handshake_frames *frames, struct ag_tcp *tcp,
                                        void *bytes, size_t capacity, size_t *size)
{
    enum ag_status status = AG_OK;
    while (status == AG_OK) {
        switch (frames->state) {
        case AG_HANDSHAKE_FRAMES_RECORD:
            status = gather_record(frames, tcp);
            break;
        case AG_HANDSHAKE_FRAMES_MESSAGE:
            if (frames->record_left == 0)
                want_record(frames);
            else
                status = gather_message(frames, tcp);
            break;
        case AG_HANDSHAKE_FRAMES_GIVE:
            *size = give(frames, bytes, capacity);
            return AG_OK;
        case AG_HANDSHAKE_FRAMES_BODY:
            if (frames->record_left > 0)
                return pass_on(frames, tcp, bytes, capacity, size);
            want_record(frames);
            break;
        case AG_HANDSHAKE_FRAMES_RAW:
            return ag_tcp_read(tcp, bytes, capacity, size);
        }
    }
    return status;
}
