/*
 * watch_drv - process monitors, many of them and at their edges. tests/scenarios/watching.exs asks the
 * questions of wharf and of Erlang.
 *
 * Processes are kept by a letter (a to z) when they ask "me LETTER", monitors by a number.
 */
#include "asked.h"

#define MONITORS 1200

typedef struct {
    ErlDrvPort port;
    int exits;    /* calls of process_exit */
    char on_exit; /* what process_exit does */
    int speaks;   /* what it says */
} Watcher;

static ErlDrvTermData processes[26];
static ErlDrvMonitor monitors[MONITORS];
static Watcher *asking;
static int stopping = 99; /* what a monitor in stop gave */
static int late; /* calls of process_exit for ports that have stopped */

static ErlDrvTermData *process(char letter)
{
    return &processes[(letter - 'a') % 26];
}

static ErlDrvMonitor *monitor(const char *argument)
{
    return &monitors[atoi(argument) % MONITORS];
}

static void me(ErlDrvPort port, char *argument)
{
    *process(argument[0]) = driver_caller(port);
    say("ok");
}

static void watch(ErlDrvPort port, char *argument)
{
    say("%d", driver_monitor_process(port, *process(argument[0]), monitor(argument + 1)));
}

static void unwatch(ErlDrvPort port, char *argument)
{
    say("%d", driver_demonitor_process(port, monitor(argument)));
}

static void watched(ErlDrvPort port, char *argument)
{
    ErlDrvTermData found = driver_get_monitored_process(port, monitor(argument));
    char letter;
    for (letter = 'a'; letter <= 'z'; letter++)
        if (*process(letter) == found) {
            say("%c", letter);
            return;
        }
    say(found == driver_term_nil ? "nobody" : "somebody");
}

/* A number of monitors of one process, from 0 on; all different. */
static void many(ErlDrvPort port, char *argument)
{
    int count = atoi(argument + 1), i, j, results = 0, equal = 0, lopsided = 0;
    for (i = 0; i < count; i++)
        results |= driver_monitor_process(port, *process(argument[0]), &monitors[i]);
    for (i = 0; i < count; i++)
        for (j = 0; j < i; j++) {
            int there = driver_compare_monitors(&monitors[i], &monitors[j]);
            int back = driver_compare_monitors(&monitors[j], &monitors[i]);
            equal += there == 0;
            lopsided += (there < 0) == (back < 0);
        }
    say("%d equal %d lopsided %d", results, equal, lopsided);
}

static void unwatch_many(ErlDrvPort port, char *argument)
{
    int i, done = 0;
    for (i = 0; i < atoi(argument); i += 2)
        done += driver_demonitor_process(port, &monitors[i]) == 0;
    say("%d", done);
}

/* What is no process, and what is no monitor. */
static void odd(ErlDrvPort port, char *argument)
{
    ErlDrvMonitor zero, copy;
    (void)argument;
    memset(&zero, 0, sizeof zero);
    say("zero %d ", driver_demonitor_process(port, &zero));
    say("%d ", driver_get_monitored_process(port, &zero) == driver_term_nil);
    say("same %d ", driver_compare_monitors(&zero, &zero));
    say("watch %d ", driver_monitor_process(port, driver_caller(port), &zero));
    copy = zero;
    say("equal %d ", driver_compare_monitors(&zero, &copy));
    say("copy %d ", driver_get_monitored_process(port, &copy) == driver_caller(port));
    say("%d ", driver_demonitor_process(port, &copy));
    say("%d ", driver_demonitor_process(port, &zero));
    say("%d", driver_get_monitored_process(port, &zero) == driver_term_nil);
}

static void no_process(ErlDrvPort port, char *argument)
{
    ErlDrvMonitor into;
    ErlDrvTermData word = argument[0] == 'p' ? driver_mk_port(port)
                        : argument[0] == 'n' ? driver_term_nil
                                             : driver_mk_atom("kernel_sup");
    say("%d", driver_monitor_process(port, word, &into));
}

static void no_port(ErlDrvPort port, char *argument)
{
    ErlDrvPort none = (ErlDrvPort)-1;
    (void)argument;
    say("%d ", driver_monitor_process(none, driver_caller(port), &monitors[0]));
    say("%d ", driver_demonitor_process(none, &monitors[0]));
    say("%d", driver_get_monitored_process(none, &monitors[0]) == driver_term_nil);
}

/* While the port's data are locked by nobody, as the functions take that lock themselves. */
static void with_lock(ErlDrvPort port, char *argument)
{
    ErlDrvPDL pdl = driver_pdl_create(port);
    (void)argument;
    say("lock %d ", pdl != NULL);
    say("watch %d ", driver_monitor_process(port, driver_caller(port), &monitors[0]));
    say("%d ", driver_get_monitored_process(port, &monitors[0]) == driver_caller(port));
    say("refc %ld ", driver_pdl_get_refc(pdl));
    say("unwatch %d", driver_demonitor_process(port, &monitors[0]));
}

static void on_exit_(ErlDrvPort port, char *argument)
{
    (void)port;
    asking->on_exit = argument[0];
    say("ok");
}

static void exits(ErlDrvPort port, char *argument)
{
    (void)port, (void)argument;
    say("%d late %d", asking->exits, late);
    if (stopping != 99)
        say(" stopping %d", stopping);
}

static void speak(ErlDrvPort port, char *argument)
{
    (void)port, (void)argument;
    asking->speaks = 1;
    say("ok");
}

static void queue(ErlDrvPort port, char *argument)
{
    say("%d", driver_enq(port, argument, strlen(argument)));
}

static void empty(ErlDrvPort port, char *argument)
{
    (void)argument;
    say("%ld", (long)driver_deq(port, driver_sizeq(port)));
}

static Question questions[] = {
    {"me", me},           {"watch", watch},     {"unwatch", unwatch},     {"watched", watched},
    {"many", many},       {"unwatch_many", unwatch_many}, {"odd", odd},   {"no_process", no_process},
    {"no_port", no_port}, {"with_lock", with_lock}, {"on_exit", on_exit_}, {"exits", exits},
    {"speak", speak},     {"queue", queue},     {"empty", empty},         {NULL, NULL},
};

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Watcher *watcher = driver_alloc(sizeof *watcher);
    memset(watcher, 0, sizeof *watcher);
    watcher->port = port;
    /* From start on. */
    if (strstr(command, " opener") != NULL)
        driver_monitor_process(port, driver_caller(port), &monitors[MONITORS - 1]);
    return (ErlDrvData)watcher;
}

static void stop(ErlDrvData data)
{
    Watcher *watcher = (Watcher *)data;
    /* A monitor that is made at the very end. */
    if (watcher->on_exit == 's')
        stopping = driver_monitor_process(watcher->port, driver_connected(watcher->port), &monitors[0]);
    watcher->port = (ErlDrvPort)-1;
}

static void process_exit(ErlDrvData data, ErlDrvMonitor *gone)
{
    Watcher *watcher = (Watcher *)data;
    ErlDrvTermData who;
    char text[100];
    int i, which = -1;
    if (watcher->port == (ErlDrvPort)-1) {
        late++;
        return;
    }
    watcher->exits++;
    who = driver_get_monitored_process(watcher->port, gone);
    for (i = 0; i < 20 && which < 0; i++)
        if (driver_compare_monitors(&monitors[i], gone) == 0)
            which = i;
    if (watcher->speaks) {
        snprintf(text, sizeof text, "exit %d pid %d caller %d again %d", which, who != driver_term_nil,
                 driver_caller(watcher->port) != driver_term_nil,
                 driver_monitor_process(watcher->port, who, &monitors[19]));
        driver_output(watcher->port, text, strlen(text));
    }
    if (watcher->on_exit == 'f')
        driver_failure_atom(watcher->port, "exited");
    if (watcher->on_exit == 'd' && which >= 0 && which < 2) /* another one of the same process */
        driver_demonitor_process(watcher->port, &monitors[1 - which]);
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    (void)operation, (void)rlen;
    asking = (Watcher *)data;
    return answer(asking->port, buf, len, rbuf);
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .control = control,
    .process_exit = process_exit,
    .driver_name = "watch_drv",
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
};

DRIVER_INIT(watch_drv)
{
    return &entry;
}
