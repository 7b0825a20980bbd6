/* What the programs that try the C door have in common. */
#ifndef DOOR_H
#define DOOR_H

#include "wharf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Long enough for a machine that is busy with something else. */
#define SOON_MS 30000

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n  last error: %s\n", __FILE__, __LINE__, #condition,       \
                    wharf_error_text());                                                           \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define OK(call) CHECK((call) == WHARF_STATUS_OK)
#define FAILS(status, call) CHECK((call) == WHARF_STATUS_##status)
/* The text of the last error has this in it. */
#define SAYS(part) CHECK(strstr(wharf_error_text(), part) != NULL)

#endif
