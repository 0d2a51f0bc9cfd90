// `quarq-bench rpc`: calls over HTTP beside a bare TCP ping-pong, gRPC, and calls through a queue.
#pragma once

#include <string>
#include <vector>

namespace quarq::bench {

int rpc_main(int argc, char** argv);

/// Servers of a chain whose far end is cancelled: C, and a hop to the server at this port. As rpc_server_main does.
int serve_far_end();
int serve_hop(const std::string& next_port);
/// Calls through the chain are cancelled when they have reached C: how long each took to arrive there, in seconds.
std::vector<double> cancel_times(const std::string& near_port, const std::string& far_port, int count);

/// `quarq-bench rpc-server KIND`: tcp sends back what it gets, by bare system calls; quarq serves the task word_size,
/// and a route /route that takes and answers the same JSON. far-end and hop PORT are
/// servers of a chain. Prints its port as a line, and serves until SIGTERM.
int rpc_server_main(int argc, char** argv);

/// `quarq-bench rpc-client KIND WHERE N`: tcp, quarq and machines make N calls one after another, and print the median
/// and the 99th percentile in microseconds; quarq-rate and route-rate keep 64 calls in flight for N seconds, and print
/// how many were answered, and their own CPU seconds. WHERE is a port, or the broker's URL.
int rpc_client_main(int argc, char** argv);

}  // namespace quarq::bench
