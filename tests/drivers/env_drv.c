/*
 * env_drv - a driver that reads and changes the host's environment, from everywhere it can.
 *
 * port_control(Port, Operation, Text) answers with text:
 *   'g' Name               erl_drv_getenv: its result, and the size and the value if it is 0
 *   's' Size:Name          the same with a buffer that is said to have that many bytes
 *   'n' Size:Name          the size that erl_drv_getenv leaves, which in Erlang 25 is not what the
 *                          manual says
 *   'p' Name=Value         erl_drv_putenv: its result (a name may be empty)
 *   'e' Name:Value         the same for a name that may contain =
 *   't' Name=Value         'p', then 'g', in a thread of the driver's own
 *   'r' Name=Value         the same in a thread that nobody was told of
 *   'l' Name               1 if the C library's getenv() finds it
 * and a command is a job of the pool, 'p' then 'g', whose answer is output.
 */
#include "erl_driver.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ErlDrvPort port;
    char text[512];
    char answer[512];
} Env;

static size_t get(const char *name, size_t size, char *answer)
{
    char value[256];
    size_t given = size;
    int found;
    memset(value, '?', sizeof value);
    found = erl_drv_getenv(name, value, &given);
    if (found == 0)
        sprintf(answer, "%d %lu %s", found, (unsigned long)given, value);
    else
        sprintf(answer, "%d %c", found, value[0]);
    return given;
}

/* Puts what stands before the last `sign` in the text, and what stands behind it. */
static int put(char *text, char sign)
{
    char *value = strrchr(text, sign);
    if (value == NULL)
        return 99;
    *value = 0;
    return erl_drv_putenv(text, value + 1);
}

static void *put_and_get(void *data)
{
    Env *env = data;
    char got[300];
    int result = put(env->text, '=');
    get(env->text, 256, got);
    sprintf(env->answer, "put %d get %s", result, got);
    return NULL;
}

static void job(void *data)
{
    put_and_get(data);
}

static int init(void)
{
    return erl_drv_putenv("WHARF_ENV_INIT", "loaded");
}

static void finish(void)
{
    erl_drv_putenv("WHARF_ENV_FINISH", "unloaded");
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Env *env = driver_alloc(sizeof *env);
    env->port = port;
    erl_drv_putenv("WHARF_ENV_START", command);
    return (ErlDrvData)env;
}

static void stop(ErlDrvData data)
{
    erl_drv_putenv("WHARF_ENV_STOP", "closed");
    driver_free((void *)data);
}

static void output(ErlDrvData data, char *bytes, ErlDrvSizeT len)
{
    Env *env = (Env *)data;
    if (len < sizeof env->text) {
        memcpy(env->text, bytes, len);
        env->text[len] = 0;
        driver_async(env->port, NULL, job, env, NULL);
    }
}

static void ready_async(ErlDrvData data, ErlDrvThreadData job_data)
{
    Env *env = (Env *)job_data;
    (void)data;
    driver_output(env->port, env->answer, strlen(env->answer));
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *bytes, ErlDrvSizeT len,
                            char **answer, ErlDrvSizeT room)
{
    Env *env = (Env *)data;
    ErlDrvTid thread;
    pthread_t unknown;
    char *name = env->text;
    size_t size;
    (void)room;
    if (len >= sizeof env->text)
        return -1;
    memcpy(env->text, bytes, len);
    env->text[len] = 0;
    switch (operation) {
    case 'g':
        get(env->text, 256, env->answer);
        break;
    case 'n':
    case 's':
        name = strchr(env->text, ':');
        if (name == NULL)
            return -1;
        size = get(name + 1, (size_t)atoi(env->text), env->answer);
        if (operation == 'n')
            sprintf(env->answer, "%lu", (unsigned long)size);
        break;
    case 'p':
        sprintf(env->answer, "%d", put(env->text, '='));
        break;
    case 'e':
        sprintf(env->answer, "%d", put(env->text, ':'));
        break;
    case 't':
        if (erl_drv_thread_create("env_drv", &thread, put_and_get, env, NULL) != 0)
            return -1;
        erl_drv_thread_join(thread, NULL);
        break;
    case 'r':
        if (pthread_create(&unknown, NULL, put_and_get, env) != 0)
            return -1;
        pthread_join(unknown, NULL);
        break;
    case 'l':
        sprintf(env->answer, "%d", getenv(env->text) != NULL);
        break;
    default:
        return -1;
    }
    len = strlen(env->answer);
    *answer = driver_alloc(len + 1);
    memcpy(*answer, env->answer, len);
    return (ErlDrvSSizeT)len;
}

static ErlDrvEntry entry = {
    .init = init,
    .start = start,
    .stop = stop,
    .output = output,
    .driver_name = "env_drv",
    .finish = finish,
    .control = control,
    .ready_async = ready_async,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
};

DRIVER_INIT(env_drv)
{
    return &entry;
}
