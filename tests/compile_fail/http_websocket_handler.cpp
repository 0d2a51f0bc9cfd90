// expect: a handler of WebSockets is a coroutine whose last parameter is http::websocket&
#include <quarq/http/server.hpp>

quarq::awaitable<void> talk(int, quarq::http::websocket&);
quarq::awaitable<void> reversed(quarq::http::websocket&, int);

void routes(quarq::http::server& server) {
  server.websocket("/rooms/{room}", talk);
#ifdef MUST_FAIL
  server.websocket("/rooms/{room}", reversed);
#endif
}
