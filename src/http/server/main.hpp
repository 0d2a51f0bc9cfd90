// A complete main() of a program that is a server.
#pragma once

#include <functional>

#include <quarq/awaitable.hpp>
#include <quarq/http/server.hpp>

namespace quarq::http {

/// The flags, errors and exit codes of server::main(), for a program that has more to do around server::run().
int run_main(server& s, int argc, char** argv, const std::function<void()>& run_all);

/// Until `serve` returns, which it does when SIGTERM or SIGINT has stopped the server.
awaitable<void> run_until_signal(server& s, std::function<awaitable<void>()> serve);

}  // namespace quarq::http
