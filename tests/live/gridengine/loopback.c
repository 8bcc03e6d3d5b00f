/* Preloaded into Grid Engine's daemons, which know no address to listen on: whoever binds to all gets 127.0.0.1. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>

int bind(int socket, const struct sockaddr *address, socklen_t length) {
    int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "bind");
    struct sockaddr_in here = *(const struct sockaddr_in *)address;
    if (address->sa_family != AF_INET || here.sin_addr.s_addr != htonl(INADDR_ANY))
        return real(socket, address, length);
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return real(socket, (struct sockaddr *)&here, sizeof here);
}
