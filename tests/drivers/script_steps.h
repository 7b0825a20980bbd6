/*
 * The steps of script_drv that call one driver function each: what it gave is what they say.
 */

#define FDS 10
static int fds[FDS] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
static int ready_fd = -1; /* of the ready_input or ready_output that runs */
static int start_result;  /* what start is to fail with */
static ErlDrvMonitor monitor;

static void run_in_thread(Scripted *self, ErlDrvPort port, char *words);
static void set_steps(Scripted *self, char *words);

static ErlDrvData start_fails(void)
{
    ErlDrvData result = (ErlDrvData)(intptr_t)start_result;
    start_result = 0;
    errno = EACCES;
    return result;
}

/* The number in `fds` of a descriptor; -1 if it has none. */
static int fd_number(int fd)
{
    int at;
    for (at = 0; at < FDS; at++) {
        if (fds[at] == fd)
            return at;
    }
    return -1;
}

static void close_fd(int fd)
{
    int at = fd_number(fd);
    if (at >= 0) {
        close(fd);
        fds[at] = -1;
    }
}

/* "3" is the third of `fds`, "=77" descriptor 77, "." the one that is ready. */
static int fd_of(const char *word)
{
    if (word[0] == '.')
        return ready_fd;
    return word[0] == '=' ? atoi(word + 1) : fds[word[0] - '0'];
}

static char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";

static ErlDrvBinary *lettered(void)
{
    ErlDrvBinary *bin = driver_alloc_binary(100);
    memcpy(bin->orig_bytes, letters, 100);
    return bin;
}

/* "e,5,b70,n" is a vector of nothing, five bytes, seventy in a binary, and NULL with no bytes. */
static ErlDrvBinary *vector_bins[8];

static void vector(ErlIOVec *ev, char *shape)
{
    static SysIOVec iov[8];
    char *at = shape;
    ev->vsize = 0;
    ev->size = 0;
    ev->iov = iov;
    ev->binv = vector_bins;
    while (*at != '\0' && ev->vsize < 8) {
        SysIOVec *one = &iov[ev->vsize];
        ErlDrvBinary **bin = &vector_bins[ev->vsize];
        *bin = NULL;
        one->iov_base = letters;
        one->iov_len = 0;
        if (*at == 'e') {
            at++;
        } else if (*at == 'n') {
            at++;
            one->iov_base = NULL;
        } else if (*at == 'b') {
            *bin = lettered();
            one->iov_len = (size_t)strtoul(at + 1, &at, 10);
            one->iov_base = (*bin)->orig_bytes + 1;
        } else {
            one->iov_len = (size_t)strtoul(at, &at, 10);
        }
        ev->size += one->iov_len;
        ev->vsize++;
        if (*at == ',')
            at++;
        else
            break;
    }
}

static void vector_done(ErlIOVec *ev)
{
    int at;
    for (at = 0; at < ev->vsize; at++) {
        if (vector_bins[at] != NULL) {
            say("refc %ld ", driver_binary_get_refc(vector_bins[at]));
            driver_free_binary(vector_bins[at]);
        }
    }
}

#define STEP(name) static long name(Scripted *self, ErlDrvPort port, char *rest)
#define UNUSED (void)self, (void)port, (void)rest

/* Output. */
STEP(s_output) { UNUSED; return driver_output(port, rest, strlen(rest)); }
STEP(s_output_null) { UNUSED; return driver_output(port, NULL, (ErlDrvSizeT)atoi(rest)); }
STEP(s_output2)
{
    char *text = strchr(rest, ' ');
    UNUSED;
    if (text == NULL)
        return driver_output2(port, rest, strlen(rest), NULL, 0);
    return driver_output2(port, rest, (ErlDrvSizeT)(text - rest), text + 1, strlen(text + 1));
}
STEP(s_output_binary)
{
    ErlDrvBinary *bin = lettered();
    int header, offset, len;
    long result;
    UNUSED;
    sscanf(rest, "%d %d %d", &header, &offset, &len);
    result = driver_output_binary(port, "HEADER", (ErlDrvSizeT)header, bin, (ErlDrvSizeT)offset, (ErlDrvSizeT)len);
    say("refc %ld ", driver_binary_get_refc(bin));
    driver_free_binary(bin);
    return result;
}
STEP(s_outputv)
{
    ErlIOVec ev;
    int header, skip;
    char shape[100] = "";
    long result;
    UNUSED;
    sscanf(rest, "%d %d %99s", &header, &skip, shape);
    vector(&ev, shape);
    result = driver_outputv(port, "HEADER", (ErlDrvSizeT)header, &ev, (ErlDrvSizeT)skip);
    vector_done(&ev);
    return result;
}
STEP(s_vec_to_buf)
{
    ErlIOVec ev;
    int room;
    char shape[100] = "", text[200];
    long result;
    UNUSED;
    sscanf(rest, "%d %99s", &room, shape);
    vector(&ev, shape);
    result = (long)driver_vec_to_buf(&ev, text, (ErlDrvSizeT)room);
    say("%.*s ", (int)result, text);
    vector_done(&ev);
    return result;
}

/* Closing. */
STEP(s_eof) { UNUSED; return driver_failure_eof(port); }
STEP(s_atom) { UNUSED; return driver_failure_atom(port, rest); }
STEP(s_posix) { UNUSED; return driver_failure_posix(port, atoi(rest)); }
STEP(s_fail) { UNUSED; return driver_failure(port, atoi(rest)); }
STEP(s_exit) { UNUSED; return driver_exit(port, atoi(rest)); }
STEP(s_report) { UNUSED; driver_report_exit(port, atoi(rest)); return 0; }

/* The port. */
STEP(s_busy) { UNUSED; set_busy_port(port, atoi(rest)); return 0; }
STEP(s_limits)
{
    ErlDrvSizeT low, high;
    long given_low, given_high;
    UNUSED;
    sscanf(rest, "%ld %ld", &given_low, &given_high);
    low = (ErlDrvSizeT)given_low;
    high = (ErlDrvSizeT)given_high;
    erl_drv_busy_msgq_limits(port, &low, &high);
    say("%ld ", (long)low);
    return (long)high;
}
STEP(s_limits_null)
{
    ErlDrvSizeT one = 0;
    UNUSED;
    erl_drv_busy_msgq_limits(port, NULL, NULL);
    erl_drv_busy_msgq_limits(port, rest[0] == 'l' ? &one : NULL, rest[0] == 'h' ? &one : NULL);
    return (long)one;
}
STEP(s_control_flags) { UNUSED; set_port_control_flags(port, atoi(rest)); return 0; }
STEP(s_flags) { UNUSED; return get_port_flags(port); }
STEP(s_slice) { UNUSED; return erl_drv_consume_timeslice(port, atoi(rest)); }
STEP(s_os_pid) { UNUSED; erl_drv_set_os_pid(port, atol(rest)); return 0; }
STEP(s_ack)
{
    long data = atol(rest);
    UNUSED;
    errno = EACCES;
    erl_drv_init_ack(port, data == 0 ? (ErlDrvData)self : (ErlDrvData)data);
    return 0;
}
STEP(s_lock) { UNUSED; return driver_lock_driver(port); }
STEP(s_create)
{
    Scripted *made = new_scripted();
    ErlDrvTermData owner;
    UNUSED;
    owner = rest[0] == 'c' ? driver_connected(port) : rest[0] == 'm' ? somebody : driver_term_nil;
    made->number = rest[1] - '0';
    made->session = session;
    made->port = driver_create_port(port, owner, rest + 2, (ErlDrvData)made);
    if (made->port == (ErlDrvPort)-1)
        return -1;
    made->self = driver_mk_port(made->port);
    ports[made->number] = made->port;
    terms[made->number] = made->self;
    return 0;
}
STEP(s_caller)
{
    ErlDrvTermData caller = driver_caller(port);
    UNUSED;
    return caller == driver_term_nil ? 0 : caller == driver_connected(port) ? 1 : 2;
}
STEP(s_connected) { UNUSED; return driver_connected(port) != driver_term_nil; }
STEP(s_mk_port) { UNUSED; return driver_mk_port(port) == driver_term_nil ? 0 : self != NULL && driver_mk_port(port) == self->self ? 1 : 2; }
STEP(s_remember) { UNUSED; somebody = driver_caller(port); return somebody != driver_term_nil; }
STEP(s_monitor) { UNUSED; return driver_monitor_process(port, somebody, &monitor); }
STEP(s_start_fails) { UNUSED; start_result = atoi(rest); return 0; }
STEP(s_steps)
{
    char *more;
    UNUSED;
    for (more = rest; *more != '\0'; more++) {
        if (*more == '+') /* what a ';' would be outside */
            *more = ';';
    }
    set_steps(self, rest);
    return 0;
}

/* "1 ! STEPS" asks port 1 so, "- ! STEPS" nobody, "0 ! STEPS" perhaps the port itself. */
STEP(s_port_control)
{
    size_t len = strlen(rest + 4);
    char *copy = driver_alloc(len + 1); /* whoever is asked frees it */
    int result;
    UNUSED;
    memcpy(copy, rest + 4, len);
    result = erl_drv_port_control(rest[0] == '-' ? driver_term_nil : terms[rest[0] - '0'], (unsigned char)rest[2], copy, len);
    if (result != 0)
        driver_free(copy);
    return result;
}

/* Selecting. */
STEP(s_pipe)
{
    int ends[2];
    UNUSED;
    if (pipe(ends) != 0)
        return -1;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    fds[rest[0] - '0'] = ends[0];
    fds[rest[2] - '0'] = ends[1];
    return 0;
}
STEP(s_pair)
{
    int ends[2];
    UNUSED;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0)
        return -1;
    fds[rest[0] - '0'] = ends[0];
    fds[rest[2] - '0'] = ends[1];
    return 0;
}
STEP(s_open) { UNUSED; fds[rest[0] - '0'] = open(rest + 2, O_RDONLY); return fds[rest[0] - '0'] >= 0; }
STEP(s_write) { UNUSED; return write(fd_of(rest), rest + 2, strlen(rest + 2)); }
STEP(s_read)
{
    char text[100];
    ssize_t len = read(fd_of(rest), text, rest[1] == ' ' ? (size_t)atoi(rest + 2) : sizeof text);
    UNUSED;
    if (len > 0)
        say("%.*s ", (int)len, text);
    return len;
}
STEP(s_close) { UNUSED; close_fd(fd_of(rest)); return 0; }
STEP(s_forget) { UNUSED; close(fd_of(rest)); return 0; } /* closed, and still known by its number */
STEP(s_select)
{
    char fd[20], *mode, on;
    int bits = 0;
    UNUSED;
    mode = strchr(rest, ' ');
    snprintf(fd, sizeof fd, "%.*s", (int)(mode - rest), rest);
    for (mode++; *mode != ' '; mode++) {
        bits |= *mode == 'r' ? ERL_DRV_READ : *mode == 'w' ? ERL_DRV_WRITE : *mode == 'u' ? ERL_DRV_USE
              : *mode == 'n' ? ERL_DRV_USE_NO_CALLBACK : 0;
    }
    on = mode[1];
    return driver_select(port, (ErlDrvEvent)(intptr_t)fd_of(fd), bits, on == '1');
}

/* Timers. */
STEP(s_timer) { UNUSED; return driver_set_timer(port, strtoul(rest, NULL, 10)); }
STEP(s_cancel) { UNUSED; return driver_cancel_timer(port); }
STEP(s_left)
{
    unsigned long left = 99, low, high;
    long result;
    UNUSED;
    sscanf(rest, "%lu %lu", &low, &high);
    result = driver_read_timer(port, &left);
    say("%s ", left >= low && left <= high ? "as meant" : left == 99 ? "untouched" : "wrong");
    return result;
}

/* The queue. */
STEP(s_enq) { UNUSED; return driver_enq(port, rest, strlen(rest)); }
STEP(s_pushq) { UNUSED; return driver_pushq(port, rest, strlen(rest)); }
static long add_binary(ErlDrvPort port, char *rest, int (*add)(ErlDrvPort, ErlDrvBinary *, ErlDrvSizeT, ErlDrvSizeT))
{
    ErlDrvBinary *bin = lettered();
    int offset, len;
    long result;
    sscanf(rest, "%d %d", &offset, &len);
    result = add(port, bin, (ErlDrvSizeT)offset, (ErlDrvSizeT)len);
    say("refc %ld ", driver_binary_get_refc(bin));
    driver_free_binary(bin);
    return result;
}
STEP(s_enq_bin) { UNUSED; return add_binary(port, rest, driver_enq_bin); }
STEP(s_pushq_bin) { UNUSED; return add_binary(port, rest, driver_pushq_bin); }
static long add_vector(ErlDrvPort port, char *rest, int (*add)(ErlDrvPort, ErlIOVec *, ErlDrvSizeT))
{
    ErlIOVec ev;
    int skip;
    char shape[100] = "";
    long result;
    sscanf(rest, "%d %99s", &skip, shape);
    vector(&ev, shape);
    result = add(port, &ev, (ErlDrvSizeT)skip);
    vector_done(&ev);
    return result;
}
STEP(s_enqv) { UNUSED; return add_vector(port, rest, driver_enqv); }
STEP(s_pushqv) { UNUSED; return add_vector(port, rest, driver_pushqv); }
STEP(s_deq) { UNUSED; return (long)driver_deq(port, (ErlDrvSizeT)atol(rest)); }
STEP(s_sizeq) { UNUSED; return (long)driver_sizeq(port); }
STEP(s_peekq)
{
    int len = 99, at;
    SysIOVec *iov = driver_peekq(port, &len);
    UNUSED;
    for (at = 0; iov != NULL && at < len; at++)
        say("%.*s|", (int)iov[at].iov_len, iov[at].iov_base);
    return len;
}
STEP(s_peekqv)
{
    ErlIOVec ev;
    int at;
    long size;
    UNUSED;
    memset(&ev, 7, sizeof ev);
    size = (long)driver_peekqv(port, &ev);
    if (size == -1)
        return size;
    say("%d %lu %s ", ev.vsize, (unsigned long)ev.size, ev.iov == NULL ? "null" : "");
    for (at = 0; at < ev.vsize; at++)
        say("%.*s%s|", (int)ev.iov[at].iov_len, ev.iov[at].iov_base, ev.binv[at] != NULL ? "+" : "");
    return size;
}
STEP(s_drain)
{
    ErlDrvSizeT size = driver_sizeq(port);
    UNUSED;
    return size == 0 ? 0 : (long)driver_deq(port, size);
}
static ErlDrvPDL pdl;
STEP(s_pdl) { UNUSED; pdl = driver_pdl_create(port); return pdl != NULL; }
STEP(s_locked)
{
    UNUSED;
    driver_pdl_lock(pdl);
    run(self, rest);
    driver_pdl_unlock(pdl);
    return 0;
}
static void nothing(void *data) { (void)data; }
STEP(s_async) { UNUSED; return driver_async(port, NULL, nothing, NULL, NULL) > 0; }
STEP(s_say) { UNUSED; say("%s ", rest); return 0; }
STEP(s_sleep) { UNUSED; usleep((useconds_t)atoi(rest) * 1000); return 0; }

static const struct {
    const char *name;
    long (*run)(Scripted *self, ErlDrvPort port, char *rest);
} steps[] = {
    {"output", s_output}, {"output_null", s_output_null}, {"output2", s_output2},
    {"output_binary", s_output_binary}, {"outputv", s_outputv}, {"vec_to_buf", s_vec_to_buf},
    {"eof", s_eof}, {"atom", s_atom}, {"posix", s_posix}, {"fail", s_fail}, {"exit", s_exit},
    {"report", s_report}, {"busy", s_busy}, {"limits", s_limits}, {"limits_null", s_limits_null},
    {"control_flags", s_control_flags}, {"flags", s_flags}, {"slice", s_slice},
    {"os_pid", s_os_pid}, {"ack", s_ack}, {"lock", s_lock}, {"create", s_create},
    {"caller", s_caller}, {"connected", s_connected}, {"mk_port", s_mk_port},
    {"remember", s_remember}, {"monitor", s_monitor}, {"start_fails", s_start_fails},
    {"steps", s_steps}, {"port_control", s_port_control}, {"pipe", s_pipe}, {"pair", s_pair}, {"open", s_open},
    {"write", s_write}, {"read", s_read}, {"close", s_close}, {"forget", s_forget},
    {"select", s_select}, {"timer", s_timer}, {"cancel", s_cancel}, {"left", s_left},
    {"enq", s_enq}, {"pushq", s_pushq}, {"enq_bin", s_enq_bin}, {"pushq_bin", s_pushq_bin},
    {"enqv", s_enqv}, {"pushqv", s_pushqv}, {"deq", s_deq}, {"sizeq", s_sizeq},
    {"peekq", s_peekq}, {"peekqv", s_peekqv}, {"drain", s_drain}, {"pdl", s_pdl},
    {"locked", s_locked}, {"async", s_async}, {"say", s_say}, {"sleep", s_sleep},
};
