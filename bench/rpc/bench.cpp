// A server runs on the first processor, its client on the second. They take turns, so that all see the machine's good and
// bad moments; of the rounds the median counts.
#include "bench.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "../http/peers.hpp"
#include "../http/wrk.hpp"
#include "../python.hpp"
#include "../report.hpp"
#include "../samples.hpp"
#include "support/redis_server.hpp"

namespace quarq::bench {
namespace {

constexpr const char* group = "rpc";

struct rounds {
  int rounds = 5;
  int calls = 5000;  // one after another, in a turn
  int seconds = 3;   // of a turn with many in flight
};

std::pair<double, double> two_numbers(const std::vector<std::string>& command) {
  std::istringstream said(output_of(on_processor("1", command)));
  double first = 0, second = 0;
  if (!(said >> first >> second))
    throw std::runtime_error(fmt::format("{} has said nothing", fmt::join(command, " ")));
  return {first, second};
}

std::vector<std::string> own(std::vector<std::string> arguments) {
  return own_peer("", std::move(arguments)).command;
}

std::optional<std::string> grpc_program(const report& out) {
  const auto path = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "quarq-bench-grpc";
  if (std::filesystem::exists(path)) return path;
  out.heading(fmt::format(
      "gRPC is left out: there is no {} (Debian: libgrpc++-dev, libprotobuf-dev, protobuf-compiler-grpc)",
      path.string()));
  return std::nullopt;
}

// ---- one call after another

void take_turn(samples& to, const std::string& name, const std::vector<std::string>& client) {
  const auto [p50, p99] = two_numbers(client);
  to.add(name + ", p50", p50);
  to.add(name + ", p99", p99);
}

// Who serves, and who calls it, without the port and the number of calls.
struct pair_of_programs {
  std::string name;
  std::vector<std::string> server, client;
};

void call_through_queue(samples& to, const test::redis_server& store, const std::string& calls) {
  const std::string url = fmt::format("redis://127.0.0.1:{}", store.plain_port());
  const test::process worker(
      on_processor("0", own({"worker", "--broker", url, "--queue", "rpc", "--log-level", "error"})));
  take_turn(to, "machines, Redis", own({"rpc-client", "machines", url, calls}));
}

void add_times(report& out, const samples& of, const std::vector<std::string>& names) {
  for (const char* p : {", p50", ", p99"}) {
    const double floor = of.median(names.front() + p);
    for (const auto& name : names) {
      const double value = of.median(name + p);
      out.add({group, name + p, value, "us", fmt::format("{:.2f} x {}", value / floor, names.front())});
    }
  }
}

void measure_times(report& out, const rounds& how, const std::optional<std::string>& grpc) {
  std::vector<pair_of_programs> all{
      {"TCP ping-pong", own({"rpc-server", "tcp"}), own({"rpc-client", "tcp"})},
      {"http_machines", own({"rpc-server", "quarq"}), own({"rpc-client", "quarq"})}};
  if (grpc) all.push_back({"gRPC C++", {*grpc, "server"}, {*grpc, "client"}});
  test::redis_server_options memory_only;
  memory_only.extra = {"--save", ""};
  const test::redis_server store(memory_only);
  const std::string calls = std::to_string(how.calls);
  samples times;
  for (int round = 0; round < how.rounds; ++round) {
    for (const auto& one : all) {
      const running_server server({one.name, one.server});
      auto client = one.client;
      client.push_back(std::to_string(server.port()));
      client.push_back(calls);
      take_turn(times, one.name, client);
    }
    call_through_queue(times, store, calls);
  }
  out.heading(
      fmt::format("calls one after another, 120 bytes, server and client on a processor each; {} x {}",
                  how.rounds, how.calls));
  std::vector<std::string> names;
  for (const auto& one : all) names.push_back(one.name);
  names.emplace_back("machines, Redis");
  add_times(out, times, names);
}

// ---- cancelled

void measure_cancelling(report& out, int rounds) {
  constexpr int calls = 200;
  std::vector<double> seconds;
  for (int round = 0; round < rounds; ++round) {
    const running_server c({"C", own({"rpc-server", "far-end"})});
    const running_server b({"B", own({"rpc-server", "hop", std::to_string(c.port())})});
    const running_server a({"A", own({"rpc-server", "hop", std::to_string(b.port())})});
    const auto of_round = cancel_times(std::to_string(a.port()), std::to_string(c.port()), calls);
    seconds.insert(seconds.end(), of_round.begin(), of_round.end());
  }
  const double longest = *std::max_element(seconds.begin(), seconds.end()) * 1e6;
  const auto of = percentiles_of(std::move(seconds));
  out.heading(fmt::format("a cancellation to the far end of A, B and C; {} x {}", rounds, calls));
  out.add({group, "cancelled at the far end, p50", of.p50, "us", ""});
  out.add({group, "cancelled at the far end, p99", of.p99, "us", ""});
  out.add({group, "cancelled at the far end, the longest", longest, "us", ""});
}

// ---- many at once

void add_rate(samples& to, const std::string& name, double rate, double server_us) {
  to.add(name + ": calls", rate);
  to.add(name + ": CPU of the server", server_us);
}

void take_turn_in_flight(samples& to, const std::string& name, const running_server& server, int seconds,
                         std::vector<std::string> client) {
  client.push_back(std::to_string(server.port()));
  client.push_back(std::to_string(seconds));
  const double before = server.cpu_seconds();
  const auto [answered, client_seconds] = two_numbers(client);
  add_rate(to, name, answered / seconds, (server.cpu_seconds() - before) * 1e6 / answered);
  to.add(name + ": CPU of the client", client_seconds * 1e6 / answered);
}

void measure_rates(report& out, const rounds& how, const std::optional<std::string>& grpc) {
  const std::string route = "own JSON route, wrk", call = "RPC as JSON, wrk";
  const std::string by_post = "own JSON route, http::client", by_call = "http_machines", by_grpc = "gRPC C++";
  samples rates;
  for (int round = 0; round < how.rounds; ++round) {
    const running_server server({"quarq", own({"rpc-server", "quarq"})});
    const std::vector<std::string> script{"-s", QUARQ_BENCH_SOURCE_DIR "/rpc/post.lua"};
    for (const auto& [name, path] :
         std::map<std::string, std::string>{{route, "/route"}, {call, "/rpc/word_size"}}) {
      const auto one = load_by_wrk(server, path, how.seconds, script);
      add_rate(rates, name, one.rate, one.cpu_us);
    }
    take_turn_in_flight(rates, by_post, server, how.seconds, own({"rpc-client", "route-rate"}));
    take_turn_in_flight(rates, by_call, server, how.seconds, own({"rpc-client", "quarq-rate"}));
    if (!grpc) continue;
    const running_server other({"gRPC", {*grpc, "server"}});
    take_turn_in_flight(rates, by_grpc, other, how.seconds, {*grpc, "rate"});
  }
  out.heading(fmt::format("64 calls in flight, server and client on a processor each; {} x {} s", how.rounds,
                          how.seconds));
  const auto add = [&](const std::string& name, const std::string& beside) {
    const std::string rate = name + ": calls", server = name + ": CPU of the server";
    out.add({group, rate, rates.median(rate), "calls/s",
             fmt::format("{:.2f} x {}", rates.median(rate) / rates.median(beside + ": calls"), beside)});
    out.add({group, server, rates.median(server), "us",
             fmt::format("{:.2f} x", rates.median(server) / rates.median(beside + ": CPU of the server"))});
    const std::string client = name + ": CPU of the client";
    if (rates.has(client)) out.add({group, client, rates.median(client), "us", ""});
  };
  add(route, route);
  add(call, route);
  add(by_post, by_post);
  add(by_call, by_post);
  if (grpc) add(by_grpc, by_call);
}

}  // namespace

int rpc_main(int argc, char** argv) {
  rounds how;
  bool json = false;
  CLI::App app("Measures calls over HTTP beside a TCP ping-pong, gRPC C++ and calls through a queue.");
  app.name("quarq-bench rpc");
  app.add_option("--rounds", how.rounds, "how often each program takes its turn")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--calls", how.calls, "one after another, in a turn")
      ->check(CLI::Range(100, 1'000'000))
      ->capture_default_str();
  app.add_option("--seconds", how.seconds, "of a turn with 64 calls in flight")
      ->check(CLI::Range(1, 600))
      ->capture_default_str();
  app.add_flag("--json", json, "the figures as JSON");
  CLI11_PARSE(app, argc, argv);
  report out(json);
  const auto grpc = grpc_program(out);
  measure_times(out, how, grpc);
  measure_cancelling(out, how.rounds);
  measure_rates(out, how, grpc);
  out.print_json();
  return 0;
}

}  // namespace quarq::bench
