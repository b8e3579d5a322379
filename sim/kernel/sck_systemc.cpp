/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SystemC backend: one sc_event an event, one SC_METHOD a method, in an
 * sc_simcontext of its own that lives as long as the simulation.
 *
 * Order. SystemC leaves the order of the processes of one evaluate phase open.
 * So an SC_METHOD only marks its method ready, and the last one of the phase
 * calls them all in order (sck_dispatch). The last one is the one that sees no
 * pending activity at the current time: nothing else is runnable, and no delta
 * notification can be pending, because only called methods make them during a
 * run, and what was notified between runs comes true before the first evaluate
 * phase (after a pause we therefore let the runnable SC_METHODs mark theirs at
 * once, and wake the phase again with the event `kick`). Measured with 1, 8 and 64
 * methods on 2.3.4, events a CPU second against calling directly: -6, -11, -1 %;
 * a dispatcher process notified by a delta: -44, -32, -21 %. Where foreign
 * processes join (memory targets) their activity would hide the last one, so
 * there the dispatcher (`kicked`) steps in: methods become ready in one phase and
 * are called in the next. A phase that ended without its calls is found by the
 * next one, or at the end, and is SY_INTERNAL.
 *
 * Delta notifications that methods make reach only methods, and nothing else happens before them. So they do not go
 * through SystemC: evaluate() makes them true after the calls and calls again, round after round, within the phase.
 * With memory targets, whose own deltas fall in between, they are SystemC's.
 *
 * Errors. SystemC reports are thrown, never printed; every call into SystemC is
 * guarded, so no exception crosses C frames. A failing method pauses the kernel.
 *
 * Life (as 2.3.4 does it). The context must outlive its events and owns its
 * methods. A notification that is replaced or cancelled leaves its entry in
 * SystemC's queue until it is the first one there, so memory grows with such
 * entries; what is in the queue when the context goes would leak, so the events
 * are deleted first (which cancels them) and the queue is asked for its first.
 *
 * Limit. sc_start triggers what is due at its last tick without evaluating it;
 * the delta cycles of that tick are started one by one after it.
 */
#define SC_INCLUDE_DYNAMIC_PROCESSES
#include <systemc>

#include <algorithm>
#include <atomic>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "sim/kernel/sck_backend.h"

/* The shared library has a main() that wants this, and looks it up in the whole
 * program: visible also from a library of ours. Never called, as a program's own
 * main() wins; weak, so that a program may bring its own sc_main. */
extern "C" __attribute__((weak, visibility("default"))) int sc_main(int, char *[])
{
    return 0;
}

namespace
{

using sc_core::sc_time;

std::atomic<bool> alive{false}; /* SystemC's own state is global: one simulation a process */

struct Native {
    sc_core::sc_simcontext *context = nullptr;
    sc_core::sc_event *kick = nullptr;
    std::vector<sc_core::sc_event *> events;
    std::vector<sck_event *> delta; /* notified by methods, true in the next round; their `pending` says so */
    bool collecting = false;        /* only mark what is ready */
    bool relay = false;             /* the dispatcher waits for those who become ready in this phase too */
    sc_dt::uint64 phase_mark = 0;   /* delta count at which the methods that are ready became so */
    uint64_t mark_tick = 0;         /* and the tick */
    /* settings of the process, to be put back */
    sc_core::sc_report_handler_proc handler = nullptr;
    sc_core::sc_actions error = 0, fatal = 0;
    sc_core::sc_simcontext *current = nullptr, *global = nullptr;
};

Native *native(sck_sim *sim)
{
    return static_cast<Native *>(sim->backend);
}
sc_core::sc_event *native(sck_event *event)
{
    return static_cast<sc_core::sc_event *>(event->native);
}

void on_report(const sc_core::sc_report &report, const sc_core::sc_actions &)
{
    if (report.get_severity() >= sc_core::SC_ERROR)
        throw report;
}

/* What methods notified comes true: those it wakes are ready. */
void come_true(Native *state)
{
    for (sck_event *event : state->delta) {
        event->pending = SCK_PENDING_NONE;
        for (const sck_link *link = event->wakes; link; link = link->next)
            sck_ready(link->method);
    }
    state->delta.clear();
}

/* In an SC_METHOD: the last one of an evaluate phase calls what is ready. */
void evaluate(sck_sim *sim)
{
    Native *state = native(sim);
    if (state->collecting || (!sim->targets && sc_core::sc_pending_activity_at_current_time(state->context)))
        return;
    sim->now = state->context->time_stamp().value();
    if (sim->targets && sim->now != state->mark_tick)
        SC_REPORT_ERROR("kernel", "a memory target delayed the process that called it (next_trigger)");
    do {
        sck_dispatch(sim);
        come_true(state);
    } while (sim->ready_count != 0 && !sim->stop);
}

void wake(sck_method *method)
{
    sck_sim *sim = method->sim;
    Native *state = native(sim);
    sc_dt::uint64 delta = state->context->delta_count();
    if (sim->ready_count == 0)
        state->phase_mark = delta;
    else if (state->phase_mark != delta)
        SC_REPORT_ERROR("kernel", "the methods of an evaluate phase were not called");
    sck_ready(method);
    state->mark_tick = state->context->time_stamp().value();
    if (!sim->targets)
        evaluate(sim);
    else if (!state->collecting)
        state->kick->notify(sc_core::SC_ZERO_TIME);
}

void kicked(sck_sim *sim)
{
    Native *state = native(sim);
    if (state->relay)
        state->kick->notify(sc_core::SC_ZERO_TIME);
    else
        evaluate(sim);
    state->relay = false;
}

template <class Body>
void spawn(const std::string &name, Body body, sc_core::sc_event *const *events, size_t count, bool at_start)
{
    sc_core::sc_spawn_options options;
    options.spawn_method();
    if (!at_start)
        options.dont_initialize();
    for (size_t i = 0; i < count; i++)
        options.set_sensitivity(events[i]);
    sc_core::sc_spawn(body, name.c_str(), &options);
}

/* Run a piece of SystemC; what it throws becomes a status with a text. */
template <class Body> sy_status guarded(sck_sim *sim, Body body) noexcept
{
    try {
        body();
        return SY_OK;
    } catch (const sc_core::sc_report &report) {
        const char *text = report.get_msg();
        return sck_error(sim, SY_INTERNAL, "SystemC: %s", text && text[0] ? text : report.get_msg_type());
    } catch (const std::bad_alloc &) {
        return sck_error(sim, SY_NOMEM, "SystemC: out of memory");
    } catch (const std::exception &error) {
        return sck_error(sim, SY_INTERNAL, "SystemC: %s", error.what());
    } catch (...) {
        return sck_error(sim, SY_INTERNAL, "SystemC: unknown exception");
    }
}

/* ---- life ---- */

void put_back(Native *state)
{
    for (sc_core::sc_event *event : state->events)
        delete event;
    if (state->context)
        (void)sc_core::sc_pending_activity_at_future_time(state->context); /* drops the cancelled entries */
    delete state->context;
    sc_core::sc_curr_simcontext = state->current;
    sc_core::sc_default_global_context = state->global;
    sc_core::sc_report_handler::set_handler(state->handler);
    sc_core::sc_report_handler::set_actions(sc_core::SC_ERROR, state->error);
    sc_core::sc_report_handler::set_actions(sc_core::SC_FATAL, state->fatal);
    delete state;
}

std::string numbered(const char *kind, uint32_t number)
{
    return kind + std::to_string(number);
}

sc_core::sc_event *new_event(Native *state, const std::string &name)
{
    state->events.push_back(nullptr);
    return state->events.back() = new sc_core::sc_event(name.c_str());
}

void systemc_destroy(sck_sim *sim)
{
    Native *state = native(sim);
    sck_tlm_close(sim);
    guarded(sim, [&] { put_back(state); });
    sim->backend = nullptr;
    alive.store(false);
}

sy_status systemc_create(sck_sim *sim)
{
    if (alive.exchange(true))
        return SY_STATE;
    const sc_core::sc_simcontext *outer = sc_core::sc_curr_simcontext; /* there is one from SystemC's start-up */
    bool running = outer && outer->get_status() == sc_core::SC_RUNNING;
    Native *state = running ? nullptr : new (std::nothrow) Native;
    if (!state) {
        alive.store(false);
        return running ? SY_STATE : SY_NOMEM;
    }
    sim->backend = state;
    state->current = sc_core::sc_curr_simcontext;
    state->global = sc_core::sc_default_global_context;
    state->handler = sc_core::sc_report_handler::set_handler(on_report);
    state->error = sc_core::sc_report_handler::set_actions(sc_core::SC_ERROR, sc_core::SC_THROW);
    state->fatal = sc_core::sc_report_handler::set_actions(sc_core::SC_FATAL, sc_core::SC_THROW);
    sy_status status = guarded(sim, [&] {
        state->context = new sc_core::sc_simcontext();
        sc_core::sc_curr_simcontext = sc_core::sc_default_global_context = state->context;
        sc_core::sc_set_time_resolution(static_cast<double>(sim->config.tick_fs), sc_core::SC_FS);
        state->kick = new_event(state, "kick");
        spawn(
            "kicked", [sim] { kicked(sim); }, &state->kick, 1, false);
    });
    if (status != SY_OK)
        systemc_destroy(sim);
    return status;
}

sy_status systemc_event_create(sck_event *event, const char *)
{
    sck_sim *sim = event->sim;
    return guarded(sim, [&] { event->native = new_event(native(sim), numbered("event", sim->event_count)); });
}

sy_status systemc_method_spawn(sck_method *method, const sck_method_spec *spec)
{
    return guarded(method->sim, [&] {
        std::vector<sc_core::sc_event *> events;
        for (size_t i = 0; i < spec->event_count; i++)
            events.push_back(native(spec->events[i]));
        spawn(
            numbered("method", method->sequence), [method] { wake(method); }, events.data(), events.size(),
            spec->flags & SCK_RUN_AT_START);
    });
}

/* ---- notifications ---- */

sy_status systemc_notify_at(sck_event *event, uint64_t tick)
{
    sck_sim *sim = event->sim;
    if (event->pending == SCK_PENDING_DELTA) /* the earlier one counts */
        return SY_OK;
    return guarded(sim, [&] { native(event)->notify(sc_time::from_value(tick - sim->now)); });
}

sy_status systemc_notify_delta(sck_event *event)
{
    sck_sim *sim = event->sim;
    if (sim->state != SCK_RUNNING || sim->targets)
        return guarded(sim, [&] { native(event)->notify(sc_core::SC_ZERO_TIME); });
    if (event->pending == SCK_PENDING_DELTA)
        return SY_OK;
    return guarded(sim, [&] {
        native(event)->cancel();
        native(sim)->delta.push_back(event);
        event->pending = SCK_PENDING_DELTA;
    });
}

sy_status systemc_cancel(sck_event *event)
{
    std::vector<sck_event *> &delta = native(event->sim)->delta;
    if (event->pending == SCK_PENDING_DELTA)
        delta.erase(std::find(delta.begin(), delta.end(), event));
    event->pending = SCK_PENDING_NONE;
    return guarded(event->sim, [&] { native(event)->cancel(); });
}

/* ---- running ---- */

void run_to(sck_sim *sim, uint64_t limit, sck_reason *reason)
{
    Native *state = native(sim);
    const sc_core::sc_simcontext *context = state->context;
    if (sim->ready_count != 0) { /* after a pause */
        state->phase_mark = context->delta_count();
        state->relay = sim->targets != nullptr;
        state->kick->notify(sc_core::SC_ZERO_TIME);
    }
    if (limit > sim->now)
        sc_core::sc_start(sc_time::from_value(limit - sim->now), sc_core::SC_EXIT_ON_STARVATION);
    else
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
    while (!sim->stop && sc_core::sc_pending_activity_at_current_time(context))
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
    sim->now = context->time_stamp().value();
    if (sim->stop) {
        if (sim->failure == SY_OK && sc_core::sc_pending_activity_at_current_time(context)) {
            state->collecting = true;
            sc_core::sc_start(sc_core::SC_ZERO_TIME);
            state->collecting = false;
        }
    } else if (sc_core::sc_pending_activity_at_future_time(context)) {
        *reason = SCK_LIMIT;
        if (limit > sim->now)
            sc_core::sc_start(sc_time::from_value(limit - sim->now), sc_core::SC_RUN_TO_TIME);
        sim->now = limit;
    } else {
        *reason = SCK_IDLE;
    }
}

sy_status systemc_run(sck_sim *sim, uint64_t limit, sck_reason *reason)
{
    sy_status status = guarded(sim, [&] { run_to(sim, limit, reason); });
    native(sim)->collecting = false;
    if (status != SY_OK)
        sim->now = native(sim)->context->time_stamp().value();
    if (status == SY_OK && !sim->stop && sim->ready_count != 0)
        return sck_error(sim, SY_INTERNAL, "SystemC: a ready method was not called");
    return status;
}

void systemc_stopping(sck_sim *sim)
{
    guarded(sim, [] { sc_core::sc_pause(); });
}

} // namespace

extern "C" const struct sck_ops sck_systemc_ops = {
    systemc_create,       systemc_destroy, systemc_event_create, systemc_method_spawn, systemc_notify_at,
    systemc_notify_delta, systemc_cancel,  systemc_run,          systemc_stopping,     sck_tlm_open,
};
