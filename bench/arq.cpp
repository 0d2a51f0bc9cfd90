#include "arq.hpp"

#include <charconv>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "bare_client.hpp"
#include "child.hpp"
#include "python.hpp"
#include "report.hpp"
#include "stopwatch.hpp"
#include "support/redis_server.hpp"

namespace quarq::bench {
namespace {

constexpr const char* group = "arq";
constexpr double wanted_jobs_per_second = 30'000;

std::string python(const char* part, int port, std::size_t count) {
  return output_of_python("arq.py", {part, std::to_string(port), std::to_string(count)});
}

struct server_use {
  double cpu_seconds = 0;
  double commands = 0;  ///< those of scripts too
};

server_use use_of(bare_client& client) {
  server_use use;
  use.cpu_seconds = server_cpu_seconds(client);
  const auto stats = client.call({"INFO", "commandstats"}).text;
  constexpr std::string_view mark = ":calls=";
  for (auto at = stats.find(mark); at != std::string::npos; at = stats.find(mark, at + 1)) {
    double calls = 0;
    std::from_chars(stats.data() + at + mark.size(), stats.data() + stats.size(), calls);
    use.commands += calls;
  }
  return use;
}

// The whole life of the worker's process counts, its start included.
template <class Work>
void measure_drain(report& out, int port, const std::string& what, std::size_t jobs, Work work) {
  bare_client client(port);
  client.call({"FLUSHALL"});
  python("fill", port, jobs);
  const auto before = use_of(client);
  const stopwatch watch;
  work();
  const double took = watch.seconds();
  const auto after = use_of(client);
  if (client.call({"ZCARD", "arq:queue"}).integer != 0) throw std::runtime_error("jobs are left: " + what);
  const auto results = static_cast<std::size_t>(client.call({"DBSIZE"}).integer);
  if (results < jobs) throw std::runtime_error(fmt::format("{} results of {} jobs: {}", results, jobs, what));
  const auto per_job = [&](double n) { return n / static_cast<double>(jobs); };
  out.add({group, what, static_cast<double>(jobs) / took, "jobs/s", ""});
  out.add({group, what + ": Redis CPU", per_job(after.cpu_seconds - before.cpu_seconds) * 1e6, "us/job", ""});
  out.add({group, what + ": Redis commands", per_job(after.commands - before.commands), "a job",
           "those of scripts too"});
}

std::vector<std::string> worker_arguments(int port, std::vector<std::string> more) {
  std::vector<std::string> all = {"worker", "--broker", fmt::format("arq://127.0.0.1:{}", port),
                                  "--log-level", "warn"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

void measure_asking(report& out, int port, std::size_t count) {
  child worker(worker_arguments(port, {}));
  const auto figures = boost::json::parse(python("ask", port, count));
  worker.end(false);
  for (const char* key : {"p50", "p99"}) {
    const std::string name = std::string(key) + "_ms";
    out.add({group, fmt::format("Python client, enqueue to result, {}", key),
             figures.at(name).to_number<double>(), "ms", "it looks every 10 ms"});
  }
}

}  // namespace

int arq_main(int argc, char** argv) {
  std::size_t jobs = 100'000;
  bool json = false;
  CLI::App app(
      "Measures quarq on python-arq's keys, compared to a worker in Python that sends arq's commands.");
  app.name("quarq-bench arq");
  app.add_option("--jobs", jobs, "how many jobs quarq's worker is given")
      ->check(CLI::Range(std::size_t{1'000}, std::size_t{10'000'000}))
      ->capture_default_str();
  app.add_flag("--json", json, "the figures as JSON");
  CLI11_PARSE(app, argc, argv);
  test::redis_server_options memory_only;
  memory_only.extra = {"--save", ""};
  test::redis_server server(memory_only);
  const int port = server.plain_port();
  report out(json);
  out.heading(
      "jobs in arq's format, enqueued by Python, results kept; Redis without persistence; arq's commands are "
      "sent by Python");
  measure_drain(out, port, "quarq's worker", jobs,
                [&] { child(worker_arguments(port, {"--burst"})).end(true); });
  const double rate = out.value(group, "quarq's worker");
  measure_drain(out, port, "arq's commands, 1 000 at once", 10'000, [&] { python("drain", port, 1'000); });
  measure_drain(out, port, "arq's commands, at defaults", 2'000, [&] { python("drain", port, 10); });
  measure_asking(out, port, 300);
  if (!json) {
    fmt::print("\nquarq's worker: target of {} jobs/s {}\n", wanted_jobs_per_second,
               rate >= wanted_jobs_per_second ? "met" : "missed");
  }
  out.print_json();
  return 0;
}

}  // namespace quarq::bench
