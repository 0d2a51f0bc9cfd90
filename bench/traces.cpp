#include "traces.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <quarq/gather.hpp>
#include <quarq/http/server.hpp>
#include <quarq/otlp.hpp>
#include <quarq/queue.hpp>
#include <quarq/run.hpp>

#include "child.hpp"
#include "report.hpp"
#include "samples.hpp"
#include "stopwatch.hpp"
#include "support/redis_server.hpp"
#include "tasks.hpp"

namespace quarq::bench {
namespace {

struct setting {
  const char* name;
  std::optional<double> ratio;  // nullopt: without --trace
};
// The first twice: what they differ by is the machine's.
constexpr std::array settings = {setting{"off", std::nullopt}, setting{"off again", std::nullopt},
                                 setting{"1 %", 0.01}, setting{"100 %", 1.0}};

// Takes spans and counts them.
class collector {
 public:
  collector() : web_(any_port()) {
    web_.post("/v1/traces", [this](http::request& r) -> awaitable<std::string> {
      const auto body = co_await r.body();
      taken_ += spans_in(body);
      co_return "{}";
    });
    port_ = web_.listen();
    thread_ = std::thread([this] { run(web_.run()); });
  }
  ~collector() {
    web_.stop();
    web_.stop();
    thread_.join();
  }
  collector(const collector&) = delete;
  collector& operator=(const collector&) = delete;
  std::string endpoint() const { return fmt::format("http://127.0.0.1:{}", port_); }
  /// Since the last call.
  std::size_t take_count() noexcept { return taken_.exchange(0); }

 private:
  static std::size_t spans_in(std::string_view body) {
    constexpr std::string_view once_in_each = "\"startTimeUnixNano\"";
    std::size_t count = 0;
    for (auto at = body.find(once_in_each); at != body.npos;
         at = body.find(once_in_each, at + once_in_each.size()))
      ++count;
    return count;
  }
  static http::server_options any_port() {
    http::server_options options;
    options.port = 0;
    return options;
  }
  http::server web_;
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> taken_{0};
  std::thread thread_;
};

awaitable<void> send_some(queue q, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    auto call = forget(argument());
    auto job = co_await q.enqueue(std::move(call));
  }
}

awaitable<void> send_in_flight(std::string url, std::size_t count, std::size_t in_flight) {
  queue q(url);
  std::vector<awaitable<void>> senders;
  for (std::size_t i = 0; i < in_flight; ++i) senders.push_back(send_some(q, count / in_flight));
  co_await gather(std::move(senders));
}

double enqueue(const std::string& url, std::size_t jobs, const setting& how, const std::string& endpoint) {
  std::shared_ptr<otlp_exporter> exporter;
  std::optional<tracing> traces;
  if (how.ratio) {
    exporter = std::make_shared<otlp_exporter>(otlp_options{.endpoint = endpoint});
    traces.emplace(trace_options{.exporter = exporter, .sampling = {*how.ratio, true}});
  }
  const stopwatch watch;
  run(send_in_flight(url, jobs, 50));
  const double took = watch.seconds();
  traces.reset();
  return static_cast<double>(jobs) / took;
}

struct drained {
  double jobs_per_second = 0, cpu_us = 0;
};

drained drain(const std::string& url, std::size_t jobs, const setting& how, const std::string& endpoint) {
  std::vector<std::string> words = {"worker",  "--broker",      url,   "--log-level", "warn",
                                    "--burst", "--concurrency", "1000"};
  if (how.ratio) {
    words.insert(words.end(), {"--trace", endpoint});
    ::setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio", 1);
    ::setenv("OTEL_TRACES_SAMPLER_ARG", std::to_string(*how.ratio).c_str(), 1);
  }
  const stopwatch watch;
  child worker(words);
  const auto cost = worker.end(true);
  return {static_cast<double>(jobs) / watch.seconds(), cost.cpu_seconds * 1e6 / static_cast<double>(jobs)};
}

// Where the machine has nothing to spare, spans are dropped before jobs are held up.
void add_share(samples& all, const std::string& what, const setting& how, std::size_t taken,
               std::size_t jobs) {
  if (how.ratio != 1.0) return;
  all.add(fmt::format("{}, spans sent", what),
          100.0 * static_cast<double>(taken) / static_cast<double>(jobs));
}

void add(report& out, const samples& all, const std::string& what, const char* unit, bool more_is_better) {
  const auto base = all.median(fmt::format("{}, {}", what, settings[0].name));
  for (const auto& how : settings) {
    const auto name = fmt::format("{}, {}", what, how.name);
    const auto value = all.median(name);
    const auto costs = more_is_better ? base / value - 1 : value / base - 1;
    out.add({"traces", name, value, unit, fmt::format("{:+.1f} %", 100 * costs)});
  }
}

}  // namespace

int traces_main(int argc, char** argv) {
  std::size_t jobs = 50'000;
  int rounds = 5;
  bool json = false;
  CLI::App app("Measures what traces cost: off, of one job in a hundred, of all.");
  app.name("quarq-bench trace");
  app.add_option("--jobs", jobs, "how many jobs a round")
      ->check(CLI::Range(std::size_t{1'000}, std::size_t{10'000'000}))
      ->capture_default_str();
  app.add_option("--rounds", rounds, "how many rounds, each with all settings")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  app.add_flag("--json", json, "the figures as JSON");
  CLI11_PARSE(app, argc, argv);
  report out(json);
  test::redis_server_options memory_only;
  memory_only.extra = {"--save", ""};
  test::redis_server server(memory_only);
  const auto url = fmt::format("redis://127.0.0.1:{}", server.plain_port());
  collector traces;
  samples all;
  for (int round = 0; round < rounds; ++round) {
    // Each setting is first as often as the others.
    for (std::size_t k = 0; k < settings.size(); ++k) {
      const auto& how = settings[(k + static_cast<std::size_t>(round)) % settings.size()];
      all.add(fmt::format("enqueue, 50 in flight, {}", how.name), enqueue(url, jobs, how, traces.endpoint()));
      add_share(all, "enqueue, 50 in flight", how, traces.take_count(), jobs);
      const auto cost = drain(url, jobs, how, traces.endpoint());
      add_share(all, "drain", how, traces.take_count(), jobs);
      all.add(fmt::format("drain, {}", how.name), cost.jobs_per_second);
      all.add(fmt::format("drain: worker CPU, {}", how.name), cost.cpu_us);
    }
  }
  out.heading(fmt::format("traces on redis, medians of {} rounds of {} jobs", rounds, jobs));
  add(out, all, "enqueue, 50 in flight", "jobs/s", true);
  add(out, all, "drain", "jobs/s", true);
  add(out, all, "drain: worker CPU", "us/job", false);
  for (const auto* const what : {"enqueue, 50 in flight", "drain"}) {
    const auto name = fmt::format("{}, spans sent", what);
    out.add({"traces", name, all.median(name), "% of all", ""});
  }
  out.print_json();
  return 0;
}

}  // namespace quarq::bench
