// Clients take turns at one server, bare Asio's, which costs the least; each is a process on the second processor.
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "../python.hpp"
#include "bench.hpp"
#include "peers.hpp"

namespace quarq::bench {

void measure_http_client(report& out, const http_rounds& how) {
  constexpr const char* group = "http client";
  std::vector<peer> peers{own_peer("quarq", {"http-client", "quarq"}),
                          own_peer("beast", {"http-client", "beast"})};
  for (auto& found : python_peer(out, "aiohttp", "aiohttp", "aiohttp_client.py")) peers.push_back(found);
  std::vector<std::vector<double>> rates(peers.size());
  std::vector<std::vector<double>> cpu_us(peers.size());
  for (int round = 0; round < how.rounds; ++round) {
    for (std::size_t i = 0; i < peers.size(); ++i) {
      const running_server server(own_peer("asio", {"http-server", "asio"}));
      auto command = peers[i].command;
      command.push_back(std::to_string(server.port()));
      command.push_back(std::to_string(how.seconds));
      std::istringstream said(output_of(on_processor("1", command)));
      double requests = 0;
      double cpu_seconds = 0;
      if (!(said >> requests >> cpu_seconds) || requests == 0)
        throw std::runtime_error(fmt::format("the client {} has said nothing", peers[i].name));
      rates[i].push_back(requests / how.seconds);
      cpu_us[i].push_back(cpu_seconds * 1e6 / requests);
    }
  }
  out.heading("GET of small JSON by clients: 64 requests in flight, kept connections");
  for (std::size_t i = 0; i < peers.size(); ++i) {
    out.add({group, peers[i].name + ": GET", median(rates[i]), "requests/s",
             fmt::format("{}; quarq has {:.2f} x", spread(rates[i]), median(rates[0]) / median(rates[i]))});
    out.add({group, peers[i].name + ": CPU for a request", median(cpu_us[i]), "us",
             fmt::format("{}; quarq: {:.2f} x", spread(cpu_us[i]), median(cpu_us[0]) / median(cpu_us[i]))});
  }
}

}  // namespace quarq::bench
