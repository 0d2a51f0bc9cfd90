// The HTTP clients in C++ that the benchmark measures, each a process of its own.
#pragma once

namespace quarq::bench {

/// `quarq-bench http-client KIND PORT SECONDS` with KIND quarq or beast (Boost.Beast's parser and serializer, nothing
/// else): keeps 64 requests in flight, and prints how many were answered and the CPU seconds that this took.
int http_client_main(int argc, char** argv);

}  // namespace quarq::bench
