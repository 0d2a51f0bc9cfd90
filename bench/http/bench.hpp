// `quarq-bench http`: quarq's HTTP beside its floors and peers.
#pragma once

#include "../report.hpp"

namespace quarq::bench {

int http_main(int argc, char** argv);

struct http_rounds {
  int rounds = 5;
  int seconds = 5;  // of a turn
};

/// GET of small JSON as fast as it goes, and what each request costs the server.
void measure_http_server(report& out, const http_rounds& how);
/// How long answers take at half of what quarq's server can do.
void measure_half_load(report& out, const http_rounds& how);
/// How long the answers to one client take while another asks without end.
void measure_storm(report& out, const http_rounds& how);
/// The same page again and again, 64 requests in flight.
void measure_http_client(report& out, const http_rounds& how);

struct many_sockets {
  int count = 10'000;
  int seconds = 5;
};

/// Many WebSockets at one server: memory, connecting, echo beside the idle ones, broadcast.
void measure_websockets(report& out, const many_sockets& how);

}  // namespace quarq::bench
