// SPDX-License-Identifier: Apache-2.0
// Installing with fsync: the host's own path from the first byte of an HTTP response to a sealed
// slot, on a file as flash, against the floor in the same run: verify, write, fsync, rename.
//
// The connection is memory, so that what is measured is the device's work and the disk's.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "cli/cli.h"
#include "host/install.h"
#include "plugin/signature.h"
#include "port/linux/flash_file.h"

enum {
    ROUNDS = 30,
    ROUNDS_QUICK = 3,
    STORE_SIZE = 4 << 20,
    RAM_SIZE = 256 << 10,
};

// A server of one file, in the form of a stream.
struct served {
    struct ag_stream stream;
    const uint8_t *file;
    size_t file_size;
    char request[8192];
    size_t request_size;
    char head[256];
    size_t head_size; // of the response that is being read
    size_t first;     // of the range that was asked for
    size_t body_size;
    size_t sent; // bytes of head and body
};

static enum ag_status served_open(void *context, const char *host, uint16_t port)
{
    struct served *served = context;
    (void)host;
    (void)port;
    served->request_size = served->head_size = served->body_size = served->sent = 0;
    return AG_OK;
}

// Answers the request that is complete.
static void answer(struct served *served)
{
    size_t first = 0;
    size_t last = served->file_size - 1;
    const char *range = strstr(served->request, "Range: bytes=");
    if (range)
        sscanf(range, "Range: bytes=%zu-%zu", &first, &last);
    if (last >= served->file_size)
        last = served->file_size - 1;
    served->first = first;
    served->body_size = last - first + 1;
    served->sent = 0;
    served->head_size = (size_t)snprintf(
        served->head, sizeof served->head,
        "HTTP/1.1 206 Partial Content\r\nContent-Length: %zu\r\nContent-Range: bytes "
        "%zu-%zu/%zu\r\nETag: \"0x1\"\r\n\r\n",
        served->body_size, first, last, served->file_size);
    served->request_size = 0;
}

static enum ag_status served_write(void *context, const void *bytes, size_t size, size_t *written)
{
    struct served *served = context;
    if (size >= sizeof served->request - served->request_size)
        return AG_ERR_RESET;
    memcpy(served->request + served->request_size, bytes, size);
    served->request_size += size;
    served->request[served->request_size] = 0;
    *written = size;
    if (strstr(served->request, "\r\n\r\n"))
        answer(served);
    return AG_OK;
}

static enum ag_status served_read(void *context, void *bytes, size_t capacity, size_t *size)
{
    struct served *served = context;
    const uint8_t *from;
    size_t left;
    if (served->sent < served->head_size) {
        from = (const uint8_t *)served->head + served->sent;
        left = served->head_size - served->sent;
    } else {
        from = served->file + served->first + (served->sent - served->head_size);
        left = served->head_size + served->body_size - served->sent;
    }
    if (left == 0)
        return AG_ERR_AGAIN;
    *size = left < capacity ? left : capacity;
    memcpy(bytes, from, *size);
    served->sent += *size;
    return AG_OK;
}

static void served_close(void *context)
{
    struct served *served = context;
    served->head_size = served->body_size = served->sent = 0;
}

// Flash that counts.
struct counted {
    struct ag_flash flash;
    const struct ag_flash *under;
    uint64_t programs;
    uint64_t erases;
    uint64_t syncs;
};

static enum ag_status counted_program(void *context, uint32_t offset, const void *bytes,
                                      uint32_t size)
{
    struct counted *counted = context;
    counted->programs++;
    return counted->under->program(counted->under->context, offset, bytes, size);
}

static enum ag_status counted_erase(void *context, uint32_t offset)
{
    struct counted *counted = context;
    counted->erases++;
    return counted->under->erase(counted->under->context, offset);
}

static enum ag_status counted_sync(void *context)
{
    struct counted *counted = context;
    counted->syncs++;
    return counted->under->sync(counted->under->context);
}

// A device without a host: store, RAM and installer.
struct device {
    struct ag_flash_file flash;
    struct counted counted;
    struct ag_store store;
    struct ag_ram ram;
    uint64_t ram_block[RAM_SIZE / 8];
    struct ag_key_list keys;
    struct served served;
    struct ag_install install;
};

static bool device_open(struct device *device, const char *folder, const struct ag_keyfile *key)
{
    char path[PATH_MAX];
    bench_path(path, folder, "install.img");
    enum ag_status status = ag_flash_file_open(&device->flash, path, STORE_SIZE);
    if (status != AG_OK) {
        ag_output_fail_status(status, "cannot make %s", path);
        return false;
    }
    device->counted = (struct counted){
        .flash = { .context = &device->counted,
                   .base = device->flash.flash.base,
                   .size = device->flash.flash.size,
                   .program = counted_program,
                   .erase = counted_erase,
                   .sync = counted_sync },
        .under = &device->flash.flash,
    };
    status = ag_store_mount(&device->store, &device->counted.flash);
    if (status != AG_OK) {
        ag_flash_file_close(&device->flash);
        ag_output_fail_status(status, "cannot mount the store");
        return false;
    }
    device->served.stream = (struct ag_stream){ .context = &device->served,
                                                .open = served_open,
                                                .read = served_read,
                                                .write = served_write,
                                                .close = served_close };
    device->keys = (struct ag_key_list){ .bytes = key->public_, .count = 1 };
    ag_ram_init(&device->ram, device->ram_block, RAM_SIZE);
    ag_install_init(&device->install, &device->store, &device->ram, &device->keys,
                    &device->served.stream, 10000);
    return true;
}

// Installs one file; *ms is the time until it is sealed. Then confirms it, and checks what is
// there.
static bool device_install(struct device *device, const struct bench_plugin *plugin,
                           uint32_t version, const struct ag_buffer *file, double *ms)
{
    static const char url[] = "https://bench.example/file.wasm?sig=none";
    const struct ag_install_request request = {
        .name = plugin->metadata.name,
        .version = version,
        .url = { url, sizeof url - 1 },
        .memory_limit = RAM_SIZE,
    };
    struct ag_store_slot slot;
    const uint8_t *bytes;
    size_t size;
    device->served.file = file->bytes;
    device->served.file_size = file->size;
    const double start = bench_now_ms();
    ag_install_begin(&device->install, &request, 0);
    enum ag_status status = AG_ERR_AGAIN;
    for (int steps = 0; status == AG_ERR_AGAIN && steps < 1000000; steps++)
        status = ag_install_step(&device->install, 0);
    *ms = bench_now_ms() - start;
    if (status == AG_OK)
        status = ag_store_find(&device->store, AG_STORE_PLUGIN, request.name, AG_STORE_NEXT, &slot);
    if (status == AG_OK)
        status = ag_store_begin_trial(&device->store, slot.id);
    if (status == AG_OK)
        status = ag_store_confirm(&device->store, slot.id);
    if (status == AG_OK)
        status = ag_store_open_code(&device->store, slot.id, &bytes, &size);
    if (status == AG_OK)
        status = ag_store_open_file(&device->store, slot.id, &bytes, &size);
    if (status == AG_OK && (size != file->size || memcmp(bytes, file->bytes, size) != 0))
        status = AG_ERR_STORE_DAMAGED;
    if (status != AG_OK)
        ag_output_fail_status(status, "cannot install %s version %u", request.name,
                              (unsigned)version);
    return status == AG_OK;
}

// The least that a safe installation can do: prove the signature and the bytes, write, fsync,
// rename.
static bool floor_install(const char *folder, const struct ag_keyfile *key,
                          const struct ag_buffer *file, double *ms)
{
    char temporary[PATH_MAX];
    char path[PATH_MAX];
    uint8_t digest[AG_SHA256_SIZE];
    uint8_t signature[AG_ED25519_SIGN_SIZE];
    uint8_t message[AG_SIGNATURE_MESSAGE_SIZE] = { 0 };
    bench_path(temporary, folder, "floor.new");
    bench_path(path, folder, "floor");
    ag_keyfile_sign(key, message, sizeof message, signature);
    const double start = bench_now_ms();
    const bool valid = ag_crypto_ed25519_verify(key->public_, message, sizeof message, signature);
    ag_crypto_sha256(file->bytes, file->size, digest);
    const int out = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written =
        out >= 0 && write(out, file->bytes, file->size) == (ssize_t)file->size && fsync(out) == 0;
    if (out >= 0)
        close(out);
    const bool renamed = written && rename(temporary, path) == 0;
    *ms = bench_now_ms() - start;
    if (!valid || !renamed)
        ag_output_fail(NULL, "the floor cannot be measured in %s", folder);
    return valid && renamed;
}

struct measured {
    struct bench_times floor;
    struct bench_times install;
};

static bool measure_round(struct device *device, const char *folder, const struct ag_keyfile *key,
                          const struct bench_plugin *plugin, uint32_t version,
                          struct measured *measured)
{
    struct ag_buffer file = { 0 };
    double floor_ms;
    double install_ms;
    const bool done = bench_plugin_make(plugin, version, key, &file) &&
                      floor_install(folder, key, &file, &floor_ms) &&
                      device_install(device, plugin, version, &file, &install_ms);
    ag_buffer_clear(&file);
    if (done && version > 1) { // the first one warms up
        bench_times_add(&measured->floor, floor_ms);
        bench_times_add(&measured->install, install_ms);
    }
    return done;
}

static double rounded(double value)
{
    return (double)(long)(value * 1000 + 0.5) / 1000;
}

static void set_times(json_t *figures, const char *size, struct measured *measured)
{
    char key[40];
    const double floor_ms = bench_times_percentile(&measured->floor, 50);
    const double install_ms = bench_times_percentile(&measured->install, 50);
    snprintf(key, sizeof key, "install_floor_%s_ms", size);
    json_object_set_new(figures, key, json_real(rounded(floor_ms)));
    snprintf(key, sizeof key, "install_%s_ms", size);
    json_object_set_new(figures, key, json_real(rounded(install_ms)));
    snprintf(key, sizeof key, "install_%s_ratio", size);
    json_object_set_new(figures, key, json_real(rounded(install_ms / floor_ms)));
}

static bool measure(struct device *device, const char *folder, const struct ag_keyfile *key,
                    uint32_t rounds, const struct bench_plugin *small,
                    const struct bench_plugin *large, json_t *figures)
{
    struct measured times[2] = { 0 };
    uint64_t programs = 0, erases = 0, syncs = 0;
    bool done = true;
    for (uint32_t version = 1; done && version <= rounds; version++) {
        const struct counted before = device->counted;
        done = measure_round(device, folder, key, small, version, &times[0]);
        programs += device->counted.programs - before.programs;
        erases += device->counted.erases - before.erases;
        syncs += device->counted.syncs - before.syncs;
        done = done && measure_round(device, folder, key, large, version, &times[1]);
    }
    if (done) {
        json_object_set_new(figures, "install_floor_ms",
                            json_real(rounded(bench_times_percentile(&times[0].floor, 50))));
        set_times(figures, "1k", &times[0]);
        set_times(figures, "100k", &times[1]);
        json_object_set_new(figures, "flash_ops_per_install",
                            json_integer((json_int_t)((programs + erases + syncs) / rounds)));
        json_object_set_new(figures, "flash_programs_per_install",
                            json_integer((json_int_t)(programs / rounds)));
        json_object_set_new(figures, "flash_erases_per_install",
                            json_integer((json_int_t)(erases / rounds)));
        json_object_set_new(figures, "flash_syncs_per_install",
                            json_integer((json_int_t)(syncs / rounds)));
    }
    for (size_t i = 0; i < 2; i++) {
        bench_times_clear(&times[i].floor);
        bench_times_clear(&times[i].install);
    }
    return done;
}

bool bench_install(const char *folder, const struct ag_keyfile *key, bool quick, json_t *figures)
{
    struct bench_plugin small;
    struct bench_plugin large;
    bool done = false;
    struct device *device = calloc(1, sizeof *device);
    if (!device || !bench_plugin_open(AG_SOURCE "/bench/plugins/probe", &small))
        goto free_device;
    if (!bench_plugin_open(AG_SOURCE "/bench/plugins/large", &large))
        goto close_small;
    if (device_open(device, folder, key)) {
        done = measure(device, folder, key, quick ? ROUNDS_QUICK : ROUNDS + 1, &small, &large,
                       figures);
        ag_flash_file_close(&device->flash);
    }
    bench_plugin_close(&large);
close_small:
    bench_plugin_close(&small);
free_device:
    free(device);
    return done;
}
