// The job queue, on a private redis-server and on a file in a temporary folder.
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bare_client.hpp"
#include "client.hpp"
#include "floor.hpp"
#include "jobs.hpp"
#include "leases.hpp"
#include "report.hpp"
#include "support/redis_server.hpp"
#include "support/temp_dir.hpp"
#include "tasks.hpp"

namespace quarq::bench {
namespace {

void bench_redis(report& out, std::size_t jobs) {
  test::redis_server_options memory_only;
  memory_only.extra = {"--save", ""};
  test::redis_server server(memory_only);
  out.heading("floor on Redis (persistence off): the same scripts and plain commands from a bare client");
  measure_redis_floor(out, server.plain_port(), jobs);
  out.heading("quarq on redis://");
  bare_client observer(server.plain_port());
  const auto cpu = [&observer] { return server_cpu_seconds(observer); };
  const target at{"redis", fmt::format("redis://127.0.0.1:{}", server.plain_port()), cpu, "floor (redis)"};
  measure_jobs(out, at, jobs);
}

// How long a caller waits for a result, compared to its floor.
void bench_round_trip(report& out) {
  test::redis_server_options memory_only;
  memory_only.extra = {"--save", ""};
  test::redis_server server(memory_only);
  measure_redis_token(out, server.plain_port());
  const target at{"redis", fmt::format("redis://127.0.0.1:{}", server.plain_port()), {}, "floor (redis)"};
  measure_round_trip(out, at);
}

// How fast workers empty queues, and what a job costs there.
void bench_drains(report& out, std::size_t jobs) {
  test::redis_server_options memory_only;
  memory_only.extra = {"--save", ""};
  test::redis_server server(memory_only);
  bare_client observer(server.plain_port());
  const auto cpu = [&observer] { return server_cpu_seconds(observer); };
  const target at{"redis", fmt::format("redis://127.0.0.1:{}", server.plain_port()), cpu, "floor (redis)"};
  measure_drains(out, at, jobs);
}

// What a caller without coroutines pays.
void bench_client(report& out, const std::string& only) {
  if (only != "sqlite") {
    test::redis_server_options memory_only;
    memory_only.extra = {"--save", ""};
    test::redis_server server(memory_only);
    measure_client(out, {"redis", fmt::format("redis://127.0.0.1:{}", server.plain_port()), {}, ""});
  }
  if (only != "redis") {
    const test::temp_dir folder;
    measure_client(out, {"sqlite", "sqlite:" + (folder / "jobs.db"), {}, ""});
  }
}

void bench_sqlite(report& out, std::size_t jobs) {
  const test::temp_dir folder;
  const auto path = [&](const char* name) { return folder / name; };
  out.heading("floor on disk");
  measure_disk_floor(out, path("."));
  out.heading("quarq on sqlite: with synchronous=FULL (the default)");
  const target at{"sqlite", "sqlite:" + path("jobs.db"), {}, "floor (sqlite)"};
  measure_jobs(out, at, jobs);
}

}  // namespace

int jobs_main(int argc, char** argv) {
  std::size_t jobs = 200'000;
  bool json = false, round_trip = false, drains = false, client_only = false;
  std::string only;
  CLI::App app("Measures quarq's jobs, compared to the theoretical minimum.");
  app.name("quarq-bench");
  app.footer(
      "The four levels, compared to their floors and Python: quarq-bench levels --help\n"
      "On python-arq's keys, compared to arq's protocol in Python: quarq-bench arq --help");
  app.add_option("--jobs", jobs, "how many jobs")
      ->check(CLI::Range(std::size_t{20'000}, std::size_t{100'000'000}))
      ->capture_default_str();
  app.add_option("--only", only, "redis, sqlite, or leases: what 1,000 idle workers cost the server")
      ->check(CLI::IsMember({"redis", "sqlite", "leases"}));
  app.add_flag("--round-trip", round_trip, "only the round trip on Redis");
  app.add_flag("--drains", drains, "only how fast workers empty queues on Redis");
  app.add_flag("--client", client_only, "only the blocking client, compared to the awaited form");
  app.add_flag("--json", json, "the figures as JSON");
  CLI11_PARSE(app, argc, argv);
  report out(json);
  if (round_trip) {
    bench_round_trip(out);
  } else if (drains) {
    bench_drains(out, jobs);
  } else if (client_only) {
    bench_client(out, only);
  } else {
    if (only.empty() || only == "redis") bench_redis(out, jobs);
    if (only.empty() || only == "sqlite") bench_sqlite(out, jobs);
    if (only.empty() || only == "leases") measure_leases(out);
    if (only != "leases") {
      out.heading("the blocking client, compared to the awaited form");
      bench_client(out, only);
    }
  }
  out.print_json();
  return 0;
}

}  // namespace quarq::bench
