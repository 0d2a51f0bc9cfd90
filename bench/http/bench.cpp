// Each server runs on the first processor, what loads it on the second. The servers take turns, so that all of them see
// the machine's good and bad moments; of the rounds the median counts.
#include "bench.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "../python.hpp"
#include "../report.hpp"
#include "open_loop.hpp"
#include "support/process.hpp"

namespace quarq::bench {
namespace {

constexpr const char* group = "http";
constexpr int connections = 64;

struct peer {
  std::string name;
  std::vector<std::string> command;
  std::vector<double> rates{};
};

// Started for a round, and ended with it.
class running_server {
 public:
  explicit running_server(const peer& of) : process_(on_processor("0", of.command)) {
    const auto has_said_port = [this] { return !process_.lines().empty(); };
    if (!test::eventually(has_said_port, std::chrono::seconds(10)))
      throw std::runtime_error(fmt::format("{} did not start: {}", of.name, test::tail(process_.log())));
    port_ = std::stoi(process_.lines().front());
  }

  int port() const noexcept { return port_; }

  static std::vector<std::string> on_processor(const char* which, std::vector<std::string> command) {
    const std::vector<std::string> pin = {"/usr/bin/taskset", "-c", which};
    command.insert(command.begin(), pin.begin(), pin.end());
    return command;
  }

 private:
  test::process process_;
  int port_ = 0;
};

double number_behind(std::string_view text, std::string_view mark) {
  auto at = text.find(mark);
  if (at == text.npos) throw std::runtime_error(fmt::format("wrk did not say \"{}\"", mark));
  at = text.find_first_not_of(' ', at + mark.size());
  double number = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), number);
  return number;
}

double requests_per_second(int port, int seconds) {
  const auto said = output_of(running_server::on_processor(
      "1", {"/usr/bin/wrk", "-t1", fmt::format("-c{}", connections), fmt::format("-d{}s", seconds),
            fmt::format("http://127.0.0.1:{}/users/7", port)}));
  if (said.find("Non-2xx") != said.npos || said.find("Socket errors") != said.npos)
    throw std::runtime_error("wrk saw errors: " + said);
  return number_behind(said, "Requests/sec:");
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

std::vector<peer> all_peers(report& out) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  std::vector<peer> peers;
  for (const char* kind : {"quarq", "beast", "asio"}) peers.push_back({kind, {self, "http-server", kind}});
  const std::filesystem::path source = QUARQ_BENCH_SOURCE_DIR;
  const auto python = source.parent_path() / "build/peers/bin/python";
  const auto add_if_there = [&](const char* name, const std::filesystem::path& interpreter,
                                const char* script) {
    if (std::filesystem::exists(interpreter)) {
      peers.push_back({name, {interpreter, source / "http" / script}});
    } else {
      out.heading(fmt::format("{} is left out: there is no {}", name, interpreter.string()));
    }
  };
  add_if_there("aiohttp", python, "aiohttp_server.py");
  add_if_there("node", "/usr/bin/node", "node_server.js");
  return peers;
}

void compare(report& out, std::vector<peer>& peers, int rounds, int seconds) {
  for (int round = 0; round < rounds; ++round) {
    for (auto& each : peers) {
      const running_server server(each);
      each.rates.push_back(requests_per_second(server.port(), seconds));
    }
  }
  const double ours = median(peers.front().rates);
  for (const auto& each : peers) {
    const double rate = median(each.rates);
    const auto [least, most] = std::ranges::minmax(each.rates);
    out.add({group, each.name + ": GET of small JSON", rate, "requests/s",
             fmt::format("{:.0f} to {:.0f}; quarq has {:.2f} x", least, most, ours / rate)});
  }
}

}  // namespace

int http_main(int argc, char** argv) {
  int rounds = 5;
  int seconds = 5;
  bool json = false;
  CLI::App app("Measures quarq's HTTP server beside bare Beast, bare Asio, aiohttp and node, by wrk.");
  app.name("quarq-bench http");
  app.add_option("--rounds", rounds, "how often each server takes its turn")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--seconds", seconds, "of a turn")->check(CLI::Range(1, 600))->capture_default_str();
  app.add_flag("--json", json, "the figures as JSON");
  CLI11_PARSE(app, argc, argv);
  report out(json);
  out.heading(fmt::format("one thread, {} connections, keep-alive", connections));
  auto peers = all_peers(out);
  compare(out, peers, rounds, seconds);
  const running_server server(peers.front());
  const double half = out.value(group, "quarq: GET of small JSON") / 2;
  const auto waits = ask_at_rate(server.port(), half, connections, std::chrono::seconds(seconds));
  out.add({group, "quarq at half load, p50", waits.p50_ms, "ms",
           fmt::format("{:.0f} requests/s, open loop", half)});
  out.add({group, "quarq at half load, p99", waits.p99_ms, "ms", ""});
  out.print_json();
  return 0;
}

}  // namespace quarq::bench
