/* Programs that open the library themselves, privately, as they would a plug-in. The arguments are
 * what to do, the folder of counter_drv.so, and libraries:
 *
 *   once    opens one, and uses it;
 *   twice   opens one, uses and closes it, and does so again: it stays in memory;
 *   copies  opens two that are copies of each other: a driver would call the first one's functions
 *           for the second one's ports, so the second refuses to load any, and says why. */
#include <wharf.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    void *file;
    __typeof__(&wharf_host_new) host_new;
    __typeof__(&wharf_process_new) process_new;
    __typeof__(&wharf_driver_load) driver_load;
    __typeof__(&wharf_open) open;
    __typeof__(&wharf_port_command) port_command;
    __typeof__(&wharf_expect) expect;
    __typeof__(&wharf_host_free) host_free;
    __typeof__(&wharf_error_text) error_text;
} library;

static int opened(library *it, const char *path)
{
    it->file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (it->file == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 0;
    }
#define FIND(name) (it->name = (__typeof__(it->name))dlsym(it->file, "wharf_" #name))
    return FIND(host_new) && FIND(process_new) && FIND(driver_load) && FIND(open) &&
           FIND(port_command) && FIND(expect) && FIND(host_free) && FIND(error_text);
}

static int counts(const library *it, const char *folder)
{
    wharf_host *host = it->host_new(NULL);
    wharf_process *me = it->process_new(host);
    wharf_port port;
    if (it->driver_load(host, folder, "counter_drv") != WHARF_STATUS_OK ||
        it->open(me, "{spawn_driver, \"counter_drv\"}", "[binary]", &port) != WHARF_STATUS_OK ||
        it->port_command(me, port, "42", 2) != WHARF_STATUS_OK ||
        it->expect(me, 30000, "{Port, {data, <<\"42\">>}}") != WHARF_STATUS_OK) {
        fprintf(stderr, "%s\n", it->error_text());
        return 0;
    }
    /* The port is still open, which this says. */
    return it->host_free(host) == WHARF_STATUS_LEFT;
}

static int refuses(const library *it, const char *folder)
{
    wharf_host *host = it->host_new(NULL);
    wharf_process *me = it->process_new(host);
    wharf_port port;
    return it->driver_load(host, folder, "counter_drv") == WHARF_STATUS_REFUSED &&
           strstr(it->error_text(), "another copy of wharf") != NULL &&
           /* All else works. */
           it->open(me, "{spawn, \"cat\"}", "[binary]", &port) == WHARF_STATUS_OK &&
           it->port_command(me, port, "42", 2) == WHARF_STATUS_OK &&
           it->expect(me, 30000, "{Port, {data, <<\"42\">>}}") == WHARF_STATUS_OK &&
           it->host_free(host) == WHARF_STATUS_LEFT;
}

int main(int argc, char **argv)
{
    const char *story = argc > 3 ? argv[1] : "";
    const char *folder = argc > 3 ? argv[2] : "";
    library first, second;

    if (argc < 4 || !opened(&first, argv[3]) || !counts(&first, folder))
        return 1;
    if (strcmp(story, "twice") == 0 &&
        (dlclose(first.file) != 0 || !opened(&first, argv[3]) || !counts(&first, folder)))
        return 1;
    if (strcmp(story, "copies") == 0 && (argc < 5 || !opened(&second, argv[4]) ||
                                         !refuses(&second, folder) || !counts(&first, folder)))
        return 1;
    puts("42");
    return 0;
}
