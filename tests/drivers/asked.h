/*
 * asked.h - what test drivers share that answer questions by name.
 *
 * port_control(Port, 0, "name argument") looks the name up in `questions`, which the driver defines,
 * calls the function there, and answers with what it said. Questions are asked one at a time, as
 * the drivers use driver level locking.
 */
#include "erl_driver.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    void (*ask)(ErlDrvPort port, char *argument);
} Question;

static Question questions[];

static char answer_text[8192];
static size_t answer_used;

static void say(const char *format, ...)
{
    va_list arguments;
    int wrote;
    va_start(arguments, format);
    wrote = vsnprintf(answer_text + answer_used, sizeof answer_text - answer_used, format, arguments);
    va_end(arguments);
    answer_used += (size_t)wrote;
    if (answer_used >= sizeof answer_text)
        answer_used = sizeof answer_text - 1;
}

static ErlDrvSSizeT answer(ErlDrvPort port, char *buf, ErlDrvSizeT len, char **rbuf)
{
    char name[512], *argument;
    Question *question;
    if (len >= sizeof name)
        return -1;
    memcpy(name, buf, len);
    name[len] = '\0';
    argument = strchr(name, ' ');
    if (argument != NULL)
        *argument++ = '\0';
    else
        argument = name + len;
    for (question = questions; question->name != NULL; question++)
        if (strcmp(question->name, name) == 0)
            break;
    if (question->name == NULL)
        return -1;
    answer_used = 0;
    question->ask(port, argument);
    if (*rbuf == NULL)
        return 0;
    *rbuf = driver_alloc(answer_used + 1);
    memcpy(*rbuf, answer_text, answer_used);
    return (ErlDrvSSizeT)answer_used;
}
