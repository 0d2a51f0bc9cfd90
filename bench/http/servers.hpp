// The HTTP servers in C++ that the benchmark measures, each a process of its own: quarq's, and two floors.
#pragma once

namespace quarq::bench {

/// `quarq-bench http-server KIND` with KIND quarq, beast (Boost.Beast's parser and serializer, nothing else) or asio
/// (reads to the blank line and sends a constant). Each answers GET /users/7 with the same bytes but for the date,
/// prints its port as a line, and serves until SIGTERM, on one thread. quarq-websocket and beast-websocket send the
/// messages of WebSockets back, and one that begins with B to all of them.
int http_server_main(int argc, char** argv);

}  // namespace quarq::bench
