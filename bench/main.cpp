// quarq-bench: what the README claims, reproducible. Everything runs on this machine, against a private
// redis-server and a file in a temporary folder, and stops by itself.
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bare_client.hpp"
#include "floor.hpp"
#include "jobs.hpp"
#include "report.hpp"
#include "support/redis_server.hpp"
#include "support/temp_dir.hpp"
#include "tasks.hpp"

namespace {

using namespace quarq;

void bench_redis(bench::report& out, std::size_t jobs) {
  test::redis_server_options memory_only;
  memory_only.extra = {"--save", ""};
  test::redis_server server(memory_only);
  out.heading("floor on Redis (persistence off): the same scripts and plain commands from a bare client");
  bench::measure_redis_floor(out, server.plain_port(), jobs);
  out.heading("quarq on redis://");
  bench::bare_client observer(server.plain_port());
  const auto cpu = [&observer] { return bench::server_cpu_seconds(observer); };
  const bench::place at{"redis", fmt::format("redis://127.0.0.1:{}", server.plain_port()), cpu,
                        "floor (redis)"};
  bench::measure_jobs(out, at, jobs);
}

// What one who waits for a result notices, beside its floor.
void bench_round_trip(bench::report& out) {
  test::redis_server_options memory_only;
  memory_only.extra = {"--save", ""};
  test::redis_server server(memory_only);
  bench::measure_redis_token(out, server.plain_port());
  const bench::place at{
      "redis", fmt::format("redis://127.0.0.1:{}", server.plain_port()), {}, "floor (redis)"};
  bench::measure_round_trip(out, at);
}

void bench_sqlite(bench::report& out, std::size_t jobs) {
  const test::temp_dir folder;
  const auto path = [&](const char* name) { return folder / name; };
  out.heading("floor on disk");
  bench::measure_disk_floor(out, path("."));
  out.heading("quarq on sqlite: with synchronous=FULL (the default)");
  const bench::place at{"sqlite", "sqlite:" + path("jobs.db"), {}, "floor (sqlite)"};
  bench::measure_jobs(out, at, jobs);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "worker") return bench::worker_main(argc - 1, argv + 1);
  std::size_t jobs = 200'000;
  bool json = false, round_trip = false;
  std::string only;
  CLI::App app("Measures quarq beside its floors.");
  app.add_option("--jobs", jobs, "how many jobs")
      ->check(CLI::Range(std::size_t{20'000}, std::size_t{100'000'000}))
      ->capture_default_str();
  app.add_option("--only", only, "redis or sqlite")->check(CLI::IsMember({"redis", "sqlite"}));
  app.add_flag("--round-trip", round_trip, "only the round trip on Redis");
  app.add_flag("--json", json, "the figures as JSON");
  CLI11_PARSE(app, argc, argv);
  try {
    bench::report out(json);
    if (round_trip) {
      bench_round_trip(out);
      out.print_json();
      return 0;
    }
    if (only != "sqlite") bench_redis(out, jobs);
    if (only != "redis") bench_sqlite(out, jobs);
    out.print_json();
  } catch (const std::exception& e) {
    fmt::print(stderr, "quarq-bench: {}\n", e.what());
    return 1;
  }
  return 0;
}
