/*
 * The steps of script_drv that send terms. "term WORDS" is erl_drv_output_term, "send_term TO
 * WORDS" erl_drv_send_term; "old_term" and "old_send_term" are their predecessors. WORDS are those
 * of word(), below; "n:5" says that there are five, whatever there are. TO is me, dead, nil, port.
 */

static ErlDrvBinary *term_bin;

/* More than a script has room for. */
#define SPEC_MAX 2000

/* Writes the words that `text` stands for, and gives how many. */
static int word(ErlDrvTermData *to, char *text, int port_number)
{
    static double numbers[16];
    static int64_t longs[16];
    static unsigned long at;
    static unsigned char bytes[100];
    char *value = strchr(text, ':');
    int n = 0, byte;
    size_t len;
    value = value == NULL ? text + strlen(text) : (*value = '\0', value + 1);
    len = strlen(value);
    at = (at + 1) % 16;
#define PUT(x) (to[n++] = (ErlDrvTermData)(x))
    if (strcmp(text, "nil") == 0) PUT(ERL_DRV_NIL);
    else if (strcmp(text, "atom") == 0) PUT(ERL_DRV_ATOM), PUT(driver_mk_atom(value));
    else if (strcmp(text, "int") == 0) PUT(ERL_DRV_INT), PUT(strtol(value, NULL, 10));
    else if (strcmp(text, "uint") == 0) PUT(ERL_DRV_UINT), PUT(strtoul(value, NULL, 10));
    else if (strcmp(text, "int64") == 0) longs[at] = strtol(value, NULL, 10), PUT(ERL_DRV_INT64), PUT(&longs[at]);
    else if (strcmp(text, "uint64") == 0) longs[at] = (int64_t)strtoul(value, NULL, 10), PUT(ERL_DRV_UINT64), PUT(&longs[at]);
    else if (strcmp(text, "float") == 0) numbers[at] = strtod(value, NULL), PUT(ERL_DRV_FLOAT), PUT(&numbers[at]);
    else if (strcmp(text, "port") == 0) PUT(ERL_DRV_PORT), PUT(terms[port_number]);
    else if (strcmp(text, "me") == 0) PUT(somebody);
    else if (strcmp(text, "self") == 0) PUT(terms[port_number]);
    else if (strcmp(text, "pid") == 0) PUT(ERL_DRV_PID), PUT(somebody);
    else if (strcmp(text, "string") == 0) PUT(ERL_DRV_STRING), PUT(value), PUT(len);
    else if (strcmp(text, "cons") == 0) PUT(ERL_DRV_STRING_CONS), PUT(value), PUT(len);
    else if (strcmp(text, "buf") == 0) PUT(ERL_DRV_BUF2BINARY), PUT(value), PUT(len);
    else if (strcmp(text, "ext") == 0) {
        for (len = 0; sscanf(value + 2 * len, "%2x", &byte) == 1; len++)
            bytes[len] = (unsigned char)byte;
        PUT(ERL_DRV_EXT2TERM), PUT(bytes), PUT(len);
    } else if (strcmp(text, "binary") == 0) {
        PUT(ERL_DRV_BINARY), PUT(term_bin), PUT(strtoul(value, &value, 10)), PUT(strtoul(value + 1, NULL, 10));
    } else if (strcmp(text, "tuple") == 0) PUT(ERL_DRV_TUPLE), PUT(strtoul(value, NULL, 10));
    else if (strcmp(text, "list") == 0) PUT(ERL_DRV_LIST), PUT(strtoul(value, NULL, 10));
    else if (strcmp(text, "map") == 0) PUT(ERL_DRV_MAP), PUT(strtoul(value, NULL, 10));
    else PUT(strtol(text, NULL, 10)); /* a word as it is */
    return n;
}

static int program(ErlDrvTermData *to, char *words)
{
    int n = 0, said = 0, is_said = 0;
    char *at = words, *end;
    while (at != NULL && *at != '\0') {
        end = strchr(at, ' ');
        if (end != NULL)
            *end++ = '\0';
        if (strncmp(at, "n:", 2) == 0)
            is_said = 1, said = atoi(at + 2);
        else
            n += word(to + n, at, 0);
        at = end;
    }
    return is_said ? said : n;
}

static ErlDrvTermData term_of(ErlDrvPort port)
{
    int at;
    for (at = 0; at < PORTS; at++) {
        if (ports[at] == port)
            return terms[at];
    }
    return driver_term_nil;
}

/* False if it is no such step. */
static int term_step(ErlDrvPort port, const char *name, char *rest)
{
    ErlDrvTermData spec[SPEC_MAX], to = driver_term_nil;
    int n, result, sends = strstr(name, "send_term") != NULL;
    if (!sends && strcmp(name, "term") != 0 && strcmp(name, "old_term") != 0)
        return 0;
    if (sends) {
        to = rest[0] == 'm' || rest[0] == 'd' ? somebody : rest[0] == 'p' ? terms[0] : driver_term_nil;
        rest = strchr(rest, ' ');
        rest = rest == NULL ? "" : rest + 1;
    }
    term_bin = lettered();
    n = program(spec, rest);
    if (strcmp(name, "term") == 0)
        result = erl_drv_output_term(term_of(port), spec, n);
    else if (strcmp(name, "send_term") == 0)
        result = erl_drv_send_term(term_of(port), to, spec, n);
    else if (strcmp(name, "old_term") == 0)
        result = driver_output_term(port, spec, n);
    else
        result = driver_send_term(port, to, spec, n);
    if (driver_binary_get_refc(term_bin) != 1)
        say("refc %ld ", driver_binary_get_refc(term_bin));
    driver_free_binary(term_bin);
    say("%d ", result);
    return 1;
}
