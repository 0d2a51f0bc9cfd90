#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "growth.hpp"

namespace quarq::bench {
namespace {

using measurement = growth::figures (*)(growth::store&, std::size_t);

const std::map<std::string, measurement>& all_series() {
  static const std::map<std::string, measurement> all = {
      {"queued", growth::queued},
      {"deferred", growth::deferred},
      {"kept", growth::kept},
      {"payload", growth::payload},
      {"cancelled", growth::cancelled},
      {"queues", growth::queues},
      {"idle_workers", growth::idle_workers},
      {"busy_workers", growth::busy_workers},
      {"waiting", growth::waiting},
  };
  return all;
}

}  // namespace

int growth_main(int argc, char** argv) {
  if (argc != 4)
    throw std::runtime_error("growth takes WHAT STORE N; ./dev bench growth measures all points");
  const auto which = all_series().find(argv[1]);
  if (which == all_series().end())
    throw std::runtime_error(fmt::format("nothing called {} grows here", argv[1]));
  const auto store = growth::make_store(argv[2]);
  const auto found = which->second(*store, std::stoull(argv[3]));
  std::string_view separator;
  fmt::print("{{");
  for (const auto& [name, value] : found) {
    fmt::print("{}\"{}\": {:.4f}", separator, name, value);
    separator = ", ";
  }
  fmt::print("}}\n");
  return 0;
}

}  // namespace quarq::bench
