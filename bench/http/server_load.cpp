// Each server runs on the first processor, what loads it on the second. The servers take turns, so that all of them see
// the machine's good and bad moments; of the rounds the median counts.
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bench.hpp"
#include "open_loop.hpp"
#include "peers.hpp"
#include "wrk.hpp"

namespace quarq::bench {
namespace {

constexpr const char* group = "http";
constexpr const char* page = "/users/7";

std::vector<peer> all_servers(report& out) {
  std::vector<peer> peers;
  for (const char* kind : {"quarq", "beast", "asio"}) peers.push_back(own_peer(kind, {"http-server", kind}));
  for (auto& found : python_peer(out, "aiohttp", "aiohttp", "aiohttp_server.py")) peers.push_back(found);
  if (std::filesystem::exists("/usr/bin/node")) {
    peers.push_back({"node", {"/usr/bin/node", QUARQ_BENCH_SOURCE_DIR "/http/node_server.js"}});
  } else {
    out.heading("node is left out: there is no /usr/bin/node");
  }
  return peers;
}

struct server_figures {
  std::vector<double> rates;
  std::vector<double> cpu_us;
  std::vector<double> busy;
};

}  // namespace

void measure_http_server(report& out, const http_rounds& how) {
  const auto peers = all_servers(out);
  std::vector<server_figures> figures(peers.size());
  for (int round = 0; round < how.rounds; ++round) {
    for (std::size_t i = 0; i < peers.size(); ++i) {
      const running_server server(peers[i]);
      const auto one = load_by_wrk(server, page, how.seconds);
      figures[i].rates.push_back(one.rate);
      figures[i].cpu_us.push_back(one.cpu_us);
      figures[i].busy.push_back(one.busy);
    }
  }
  out.heading(fmt::format("GET of small JSON: one thread, {} connections, keep-alive, wrk", wrk_connections));
  const double ours = median(figures[0].rates);
  const double our_cpu = median(figures[0].cpu_us);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const auto& of = figures[i];
    out.add({group, peers[i].name + ": GET", median(of.rates), "requests/s",
             fmt::format("{}; quarq has {:.2f} x", spread(of.rates), ours / median(of.rates))});
    out.add({group, peers[i].name + ": CPU for a request", median(of.cpu_us), "us",
             fmt::format("{}, {:.0f} % busy; quarq: {:.2f} x", spread(of.cpu_us), median(of.busy) * 100,
                         our_cpu / median(of.cpu_us))});
  }
}

void measure_half_load(report& out, const http_rounds& how) {
  std::vector<peer> peers;
  for (const char* kind : {"quarq", "beast", "asio"}) peers.push_back(own_peer(kind, {"http-server", kind}));
  double rate = out.value(group, "quarq: GET");
  if (rate == 0) rate = load_by_wrk(running_server(peers.front()), page, how.seconds).rate;
  rate /= 2;
  std::vector<std::vector<answer_times>> times(peers.size());
  const auto duration = std::chrono::seconds(how.seconds);
  for (int round = 0; round < how.rounds; ++round) {
    for (std::size_t i = 0; i < peers.size(); ++i) {
      const running_server server(peers[i]);
      times[i].push_back(ask_at_rate(server.port(), rate, wrk_connections, duration));
    }
  }
  out.heading(fmt::format("{:.0f} requests/s, half of what quarq can do: open loop, {} connections", rate,
                          wrk_connections));
  const auto all_of = [&](std::size_t i, double answer_times::* which) {
    std::vector<double> values;
    for (const auto& one : times[i]) values.push_back(one.*which);
    return values;
  };
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const auto p50 = all_of(i, &answer_times::p50_ms);
    const auto p99 = all_of(i, &answer_times::p99_ms);
    out.add({group, peers[i].name + " at half load, p50", median(p50), "ms", spread(p50)});
    out.add({group, peers[i].name + " at half load, p99", median(p99), "ms",
             fmt::format("{}; {:.2f} of it were not yet sent", spread(p99),
                         median(all_of(i, &answer_times::own_p99_ms)))});
  }
}

void measure_storm(report& out, const http_rounds& how) {
  constexpr double rate = 1'000;
  constexpr int of_the_storm = 8;
  const std::vector<peer> peers{own_peer("quarq", {"http-server", "quarq"}),
                                own_peer("beast", {"http-server", "beast"})};
  out.heading(
      fmt::format("{:.0f} requests/s over {} connections, alone and beside {} that pipeline without end",
                  rate, wrk_connections, of_the_storm));
  const auto duration = std::chrono::seconds(how.seconds);
  for (const auto& one : peers) {
    std::vector<double> alone_p50, alone_p99, beside_p50, beside_p99;
    for (int round = 0; round < how.rounds; ++round) {
      const running_server server(one);
      const auto alone = ask_at_rate(server.port(), rate, wrk_connections, duration);
      const auto beside = ask_at_rate(server.port(), rate, wrk_connections, duration, {of_the_storm});
      alone_p50.push_back(alone.p50_ms);
      alone_p99.push_back(alone.p99_ms);
      beside_p50.push_back(beside.p50_ms);
      beside_p99.push_back(beside.p99_ms);
    }
    out.add({group, one.name + " alone, p50", median(alone_p50), "ms", spread(alone_p50)});
    out.add({group, one.name + " alone, p99", median(alone_p99), "ms", spread(alone_p99)});
    out.add({group, one.name + " beside a storm, p50", median(beside_p50), "ms", spread(beside_p50)});
    out.add({group, one.name + " beside a storm, p99", median(beside_p99), "ms", spread(beside_p99)});
  }
}

}  // namespace quarq::bench
