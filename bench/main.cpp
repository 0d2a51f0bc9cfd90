// quarq-bench: what the README and docs/levels.md claim, reproducible. Everything runs on this machine,
// against private servers and files in a temporary folder, and stops by itself.
#include <cstdio>
#include <exception>
#include <string_view>

#include <fmt/format.h>

#include "arq.hpp"
#include "growth/growth.hpp"
#include "http/bench.hpp"
#include "http/clients.hpp"
#include "http/servers.hpp"
#include "jobs.hpp"
#include "levels.hpp"
#include "models/bench.hpp"
#include "peer.hpp"
#include "rpc/bench.hpp"
#include "scenarios.hpp"
#include "tasks.hpp"
#include "traces.hpp"

namespace {

int measure(int argc, char** argv) {
  using namespace quarq::bench;
  const std::string_view word = argc > 1 ? argv[1] : "";
  if (word == "levels") return levels_main(argc - 1, argv + 1);
  if (word == "arq") return arq_main(argc - 1, argv + 1);
  if (word == "http") return http_main(argc - 1, argv + 1);
  if (word == "rpc") return rpc_main(argc - 1, argv + 1);
  if (word == "models") return models_main(argc - 1, argv + 1);
  if (word == "trace") return traces_main(argc - 1, argv + 1);
  if (word == "jobs") return jobs_main(argc - 1, argv + 1);
  // These it starts itself, or a script of ./dev bench does.
  if (word == "growth") return growth_main(argc - 1, argv + 1);
  if (word == "scenario") return scenario_main(argc - 1, argv + 1);
  if (word == "http-server") return http_server_main(argc - 1, argv + 1);
  if (word == "http-client") return http_client_main(argc - 1, argv + 1);
  if (word == "rpc-server") return rpc_server_main(argc - 1, argv + 1);
  if (word == "rpc-client") return rpc_client_main(argc - 1, argv + 1);
  if (word == "worker") return worker_main(argc - 1, argv + 1);
  if (word == "peer") return peer_main(argc - 1, argv + 1);
  if (word == "waiting-coroutines") return waiting_coroutines_main();
  return jobs_main(argc, argv);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return measure(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "quarq-bench: {}\n", e.what());
    return 1;
  }
}
