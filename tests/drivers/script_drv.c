/*
 * script_drv - runs a script in any callback: driver functions by short names, one after the
 * other, and says what they gave. What a topic of tests/scenarios asks of it, it asks in wharf and
 * in Erlang alike.
 *
 *   open_port({spawn_driver, "script_drv N STEPS"})  the port of number N runs STEPS in start
 *   port_control(Port, '!', STEPS)                   runs STEPS and answers what they say
 *   port_control(Port, '=', "CALLBACK STEPS")        has STEPS run in that callback from then on
 *   port_control(Port, '?', "")                      what the callbacks have said since then
 *
 * Steps are separated by ';' and are listed in the tables of script_steps.h and script_terms.h.
 * "@N STEP" is about port N, "@- STEP" about the port that is none; "thread STEP" runs the step in
 * a thread of its own. Opening port 0 begins a new log, and what older ports say is left out of it.
 */
#include "erl_driver.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef NAME
#define NAME "script_drv"
#endif
#ifndef FLAGS
#define FLAGS 0
#endif

extern void driver_report_exit(ErlDrvPort port, int status);
extern int erl_drv_port_control(ErlDrvTermData port, unsigned int command, char *buf, ErlDrvSizeT len);

enum { START, STOP, OUTPUT, INPUT, WRITABLE, TIMEOUT, ASYNC, FLUSH, EXIT, RELEASE, CALLBACKS };

static const char *const names[CALLBACKS] = {
    "start", "stop", "output", "ready_input", "ready_output",
    "timeout", "ready_async", "flush", "process_exit", "stop_select",
};

/* Not freed with its port: a callback whose script has ended its port still reads it. */
typedef struct Scripted {
    ErlDrvPort port;
    ErlDrvTermData self;
    int number;
    int session;
    char steps[CALLBACKS][500];
    struct Scripted *older;
} Scripted;

/* All there ever were: what is left of a port may be used after it, so they stay. */
static Scripted *scripted;

static Scripted *new_scripted(void)
{
    Scripted *self = calloc(1, sizeof *self);
    self->older = __atomic_load_n(&scripted, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&scripted, &self->older, self, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
    return self;
}

#define PORTS 10
static ErlDrvPort ports[PORTS];
static ErlDrvTermData terms[PORTS];
static ErlDrvTermData somebody; /* whom "remember" was called by */
static int session;
static char release_steps[200]; /* stop_select has no port to find its own by */

/* What is being said: by the callback that runs, and by all since the log was asked for. */
typedef struct {
    char text[8000];
    size_t used;
} Text;

static Text log_, answer_;
static Text *now = &log_;

/* Ports with a lock each say things at the same time. Callbacks run inside of callbacks. */
static pthread_mutex_t saying;

static void say_alone(void)
{
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&saying, &recursive);
    pthread_mutexattr_destroy(&recursive);
}

static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    now->used += (size_t)vsnprintf(now->text + now->used, sizeof now->text - now->used, format, arguments);
    va_end(arguments);
    if (now->used >= sizeof now->text)
        now->used = sizeof now->text - 1;
}

static void run(Scripted *self, const char *steps);

#include "script_steps.h"
#include "script_terms.h"

typedef struct {
    Scripted *self;
    ErlDrvPort port;
    char *words;
} Errand;

static void step(Scripted *self, ErlDrvPort port, char *words)
{
    size_t at;
    char *rest;
    if (words[0] == '@') {
        port = words[1] == '-' ? (ErlDrvPort)-1 : words[1] == '0' + PORTS ? NULL : ports[words[1] - '0'];
        words += 3;
    }
    rest = strchr(words, ' ');
    rest = rest == NULL ? words + strlen(words) : (*rest = '\0', rest + 1);
    if (strcmp(words, "thread") == 0) {
        run_in_thread(self, port, rest);
        return;
    }
    for (at = 0; at < sizeof steps / sizeof steps[0]; at++) {
        if (strcmp(words, steps[at].name) == 0) {
            say("%ld ", steps[at].run(self, port, rest));
            return;
        }
    }
    if (!term_step(port, words, rest))
        say("what is %s? ", words);
}

static void *errand(void *data)
{
    Errand *errand = data;
    step(errand->self, errand->port, errand->words);
    return NULL;
}

static void run_in_thread(Scripted *self, ErlDrvPort port, char *words)
{
    Errand it = {self, port, words};
    ErlDrvTid thread;
    if (erl_drv_thread_create("errand", &thread, errand, &it, NULL) == 0)
        erl_drv_thread_join(thread, NULL);
}

static void run(Scripted *self, const char *given)
{
    char copy[1000], *at = copy, *end;
    snprintf(copy, sizeof copy, "%s", given);
    while (at != NULL && *at != '\0') {
        end = strchr(at, ';');
        if (end != NULL)
            *end++ = '\0';
        while (*at == ' ')
            at++;
        if (*at != '\0')
            step(self, self == NULL ? (ErlDrvPort)-1 : self->port, at);
        at = end;
    }
}

/* A callback: says its name, and runs its steps. False if it has none. */
static int called(Scripted *self, int which)
{
    static Text nowhere;
    Text *before;
    pthread_mutex_lock(&saying);
    before = now;
    nowhere.used = 0;
    now = self->session == session ? &log_ : &nowhere;
    say("[%s ", names[which]);
    run(self, self->steps[which]);
    if (now->used > 0 && now->text[now->used - 1] == ' ')
        now->used--;
    say("] ");
    now = before;
    pthread_mutex_unlock(&saying);
    return self->steps[which][0] != '\0';
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Scripted *self = new_scripted();
    char *word = strchr(command, ' ');
    if (word != NULL) {
        self->number = (int)strtol(word, &word, 10);
        snprintf(self->steps[START], sizeof self->steps[START], "%s", word);
    }
    if (self->number == 0) {
        session++;
        log_.used = 0;
        release_steps[0] = '\0';
    }
    self->session = session;
    self->port = port;
    self->self = driver_mk_port(port);
    ports[self->number] = port;
    terms[self->number] = self->self;
    called(self, START);
    return start_result != 0 ? start_fails() : (ErlDrvData)self;
}

static void finish(void)
{
    while (scripted != NULL) {
        Scripted *last = scripted;
        scripted = last->older;
        free(last);
    }
}

static void stop(ErlDrvData data) { called((Scripted *)data, STOP); }
static void timeout(ErlDrvData data) { called((Scripted *)data, TIMEOUT); }
static void flush(ErlDrvData data) { called((Scripted *)data, FLUSH); }

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    Scripted *self = (Scripted *)data;
    if (self->steps[OUTPUT][0] != '\0') {
        called(self, OUTPUT);
        return;
    }
    /* What is sent are the steps. */
    snprintf(self->steps[OUTPUT], sizeof self->steps[OUTPUT], "%.*s", (int)len, buf);
    called(self, OUTPUT);
    self->steps[OUTPUT][0] = '\0';
}

static void ready_input(ErlDrvData data, ErlDrvEvent event)
{
    char bytes[16];
    ready_fd = (int)(intptr_t)event;
    if (!called((Scripted *)data, INPUT) && read(ready_fd, bytes, sizeof bytes) <= 0)
        driver_select(((Scripted *)data)->port, event, ERL_DRV_READ, 0);
}

static void ready_output(ErlDrvData data, ErlDrvEvent event)
{
    ready_fd = (int)(intptr_t)event;
    if (!called((Scripted *)data, WRITABLE))
        driver_select(((Scripted *)data)->port, event, ERL_DRV_WRITE, 0);
}

static void ready_async(ErlDrvData data, ErlDrvThreadData job)
{
    (void)job;
    called((Scripted *)data, ASYNC);
}

static void process_exit(ErlDrvData data, ErlDrvMonitor *monitor)
{
    (void)monitor;
    called((Scripted *)data, EXIT);
}

static void stop_select(ErlDrvEvent event, void *reserved)
{
    Text *before;
    pthread_mutex_lock(&saying);
    before = now;
    now = &log_;
    say("[stop_select %d%s", fd_number((int)(intptr_t)event), reserved == NULL ? "" : " reserved");
    if (release_steps[0] != '\0')
        say(" ");
    run(NULL, release_steps);
    if (now->used > 0 && now->text[now->used - 1] == ' ')
        now->used--;
    say("] ");
    now = before;
    pthread_mutex_unlock(&saying);
    close_fd((int)(intptr_t)event);
}

/* Called when a crash dump is written; nobody writes one here. */
static void emergency_close(ErlDrvData data)
{
    (void)data;
    abort();
}

static void set_steps(Scripted *self, char *words)
{
    int which;
    char *rest = strchr(words, ' ');
    rest = rest == NULL ? words + strlen(words) : (*rest = '\0', rest + 1);
    for (which = 0; which < CALLBACKS; which++) {
        if (strcmp(words, names[which]) == 0)
            snprintf(self->steps[which], sizeof self->steps[which], "%s", rest);
    }
    if (strcmp(words, names[RELEASE]) == 0)
        snprintf(release_steps, sizeof release_steps, "%s", rest);
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Scripted *self = (Scripted *)data;
    Text *said = operation == '?' ? &log_ : &answer_;
    char given[1000];
    (void)rlen;
    if (len >= sizeof given)
        return -1;
    memcpy(given, buf, len);
    given[len] = '\0';
    pthread_mutex_lock(&saying);
    answer_.used = 0;
    now = &answer_;
    if (operation == '!')
        run(self, given);
    else if (operation == '=')
        set_steps(self, given);
    now = &log_;
    while (said->used > 0 && said->text[said->used - 1] == ' ')
        said->used--;
    *rbuf = driver_alloc(said->used + 1);
    memcpy(*rbuf, said->text, said->used);
    len = said->used;
    said->used = 0;
    pthread_mutex_unlock(&saying);
    return (ErlDrvSSizeT)len;
}

static ErlDrvEntry entry = {
    .control = control,
    .start = start,
    .finish = finish,
#ifndef BARE
    .stop = stop,
    .output = output,
    .ready_input = ready_input,
    .ready_output = ready_output,
    .timeout = timeout,
    .ready_async = ready_async,
    .flush = flush,
    .process_exit = process_exit,
    .stop_select = stop_select,
    .emergency_close = emergency_close,
#endif
    .driver_name = NAME,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = FLAGS,
};

DRIVER_INIT(script_drv)
{
    say_alone();
    return &entry;
}
