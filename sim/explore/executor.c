/* SPDX-License-Identifier: Apache-2.0 */
/* Work items in this process or in forked workers; see executor.h. */
#include "sim/explore/executor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 16, MAX_REPLY_BYTES = 1 << 30, POLL_MS = 100 };

struct worker {
    pid_t pid; /* 0 = none */
    int socket;
    bool busy;
    uint64_t item;
    struct sy_buf inbox; /* bytes of a reply that is not complete */
};

struct pool {
    const struct sy_executor_work *work;
    uint64_t next, done;
    uint32_t workers;
    struct worker worker[SY_MAX_WORKERS];
};

static bool cancelled(const struct sy_executor_work *work)
{
    return work->cancel && *work->cancel;
}

static void progress(const struct sy_executor_work *work, uint64_t done)
{
    if (work->progress)
        work->progress(work->progress_context, done, work->count);
}

static enum sy_status run_here(const struct sy_executor_work *work)
{
    struct sy_buf reply = {0};
    enum sy_status status = SY_OK;
    for (uint64_t i = 0; i < work->count && status == SY_OK; i++) {
        sy_buf_clear(&reply);
        work->work(work->context, i, &reply);
        if (cancelled(work))
            status = SY_INTERRUPTED;
        else if (reply.failed)
            status = SY_NOMEM;
        else
            status = work->collect(work->context, i, reply.data, reply.length, NULL);
        progress(work, i + 1);
    }
    sy_buf_free(&reply);
    return status;
}

/* ---- a worker ---- */

static bool send_all(int socket, const char *data, size_t length)
{
    while (length) {
        ssize_t sent = send(socket, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        data += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool receive_item(int socket, uint64_t *item)
{
    ssize_t got;
    do
        got = recv(socket, item, sizeof *item, MSG_WAITALL);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof *item;
}

/* Until the parent closes the socket. Nothing of the parent's standard streams may be flushed twice: _exit. */
static _Noreturn void be_worker(const struct sy_executor_work *work, int socket)
{
    struct sy_buf reply = {0};
    uint64_t item;
    /* The caller's handlers are about the caller. */
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    while (receive_item(socket, &item)) {
        sy_buf_clear(&reply);
        work->work(work->context, item, &reply);
        uint64_t length = reply.length;
        if (reply.failed || !send_all(socket, (const char *)&length, sizeof length) ||
            !send_all(socket, reply.data, reply.length))
            break;
    }
    _exit(0);
}

static bool start(struct pool *pool, struct worker *worker)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        /* With the other workers' ends open here, those would not see the parent go. */
        for (uint32_t i = 0; i < pool->workers; i++)
            if (pool->worker[i].pid)
                (void)close(pool->worker[i].socket);
        (void)close(ends[0]);
        be_worker(pool->work, ends[1]);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return false;
    }
    worker->pid = pid;
    worker->socket = ends[0];
    worker->busy = false;
    return true;
}

/* Ends a worker; text says how it ended by itself. */
static void stop(struct worker *worker, bool terminate, char text[96])
{
    int how = 0;
    (void)close(worker->socket);
    if (terminate)
        (void)kill(worker->pid, SIGKILL); /* it holds nothing that must be put away */
    while (waitpid(worker->pid, &how, 0) < 0 && errno == EINTR)
        ;
    if (text && WIFSIGNALED(how))
        (void)snprintf(text, 96, "the worker was ended by signal %d", WTERMSIG(how));
    else if (text)
        (void)snprintf(text, 96, "the worker ended early (exit status %d)", WIFEXITED(how) ? WEXITSTATUS(how) : 0);
    sy_buf_free(&worker->inbox);
    worker->pid = 0;
    worker->busy = false;
}

/* ---- the parent ---- */

static bool give_item(struct pool *pool, struct worker *worker)
{
    if (pool->next == pool->work->count)
        return true;
    worker->item = pool->next;
    worker->busy = true;
    pool->next++;
    return send_all(worker->socket, (const char *)&worker->item, sizeof worker->item);
}

static enum sy_status collect(struct pool *pool, uint64_t item, const char *reply, size_t length, const char *why)
{
    enum sy_status status = pool->work->collect(pool->work->context, item, reply, length, why);
    progress(pool->work, ++pool->done);
    return status;
}

/* The worker is gone. Its item is lost; somebody else goes on. */
static enum sy_status replace(struct pool *pool, struct worker *worker)
{
    char why[96];
    bool had_item = worker->busy;
    uint64_t item = worker->item;
    enum sy_status status = SY_OK;
    stop(worker, false, why);
    if (had_item)
        status = collect(pool, item, NULL, 0, why);
    if (status == SY_OK && pool->next < pool->work->count && start(pool, worker))
        (void)give_item(pool, worker); /* a failure shows as its socket's end */
    return status;
}

/* Read what is there; hand over a complete reply. *gone: the socket ended. */
static enum sy_status read_from(struct pool *pool, struct worker *worker, bool *gone)
{
    char piece[READ_BYTES];
    ssize_t got = recv(worker->socket, piece, sizeof piece, 0);
    if (got < 0 && errno == EINTR)
        return SY_OK;
    *gone = got <= 0;
    if (*gone)
        return SY_OK;
    sy_buf_append(&worker->inbox, piece, (size_t)got);
    if (worker->inbox.failed)
        return SY_NOMEM;
    uint64_t length;
    if (worker->inbox.length < sizeof length)
        return SY_OK;
    memcpy(&length, worker->inbox.data, sizeof length);
    if (length > MAX_REPLY_BYTES) {
        *gone = true;
        return SY_OK;
    }
    if (worker->inbox.length < sizeof length + length)
        return SY_OK;
    enum sy_status status = collect(pool, worker->item, worker->inbox.data + sizeof length, length, NULL);
    worker->busy = false;
    sy_buf_clear(&worker->inbox);
    if (status == SY_OK && !cancelled(pool->work))
        (void)give_item(pool, worker);
    return status;
}

static enum sy_status attend(struct pool *pool)
{
    struct pollfd waiting[SY_MAX_WORKERS];
    uint32_t who[SY_MAX_WORKERS], count = 0;
    for (uint32_t i = 0; i < pool->workers; i++)
        if (pool->worker[i].busy) {
            waiting[count] = (struct pollfd){.fd = pool->worker[i].socket, .events = POLLIN};
            who[count++] = i;
        }
    if (!count)
        return SY_IO; /* items are left and nobody works: no worker could be started again */
    if (poll(waiting, count, POLL_MS) < 0 && errno != EINTR)
        return SY_IO;
    enum sy_status status = SY_OK;
    for (uint32_t i = 0; i < count && status == SY_OK; i++) {
        bool gone = false;
        if (!(waiting[i].revents & (POLLIN | POLLHUP | POLLERR)))
            continue;
        status = read_from(pool, &pool->worker[who[i]], &gone);
        if (status == SY_OK && gone)
            status = replace(pool, &pool->worker[who[i]]);
    }
    return status;
}

static enum sy_status run_pool(struct pool *pool, struct sy_diag *diag)
{
    uint32_t started = 0;
    for (uint32_t i = 0; i < pool->workers; i++)
        started += start(pool, &pool->worker[i]);
    if (!started) {
        sy_error(diag, SY_NOWHERE, "run with -j 0 to do without worker processes",
                 "no worker process can be started: %s", strerror(errno));
        return SY_IO;
    }
    for (uint32_t i = 0; i < pool->workers; i++)
        if (pool->worker[i].pid)
            (void)give_item(pool, &pool->worker[i]);
    enum sy_status status = SY_OK;
    while (status == SY_OK && pool->done < pool->work->count)
        status = cancelled(pool->work) ? SY_INTERRUPTED : attend(pool);
    if (status == SY_IO)
        sy_error(diag, SY_NOWHERE, NULL, "the worker processes cannot go on: %s", strerror(errno));
    return status;
}

enum sy_status sy_executor_run(const struct sy_executor_work *work, struct sy_diag *diag)
{
    if (!work->workers)
        return run_here(work);
    if (!work->count)
        return SY_OK;
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return SY_NOMEM;
    pool->work = work;
    pool->workers = work->workers < SY_MAX_WORKERS ? work->workers : SY_MAX_WORKERS;
    if (pool->workers > work->count)
        pool->workers = (uint32_t)work->count;
    enum sy_status status = run_pool(pool, diag);
    for (uint32_t i = 0; i < pool->workers; i++)
        if (pool->worker[i].pid)
            stop(&pool->worker[i], pool->worker[i].busy, NULL);
    free(pool);
    return status;
}
