// Level 1: another process, found through a queue.
#include <stdexcept>

#include <fmt/format.h>

#include <quarq/machines.hpp>
#include <quarq/queue.hpp>
#include <quarq/run.hpp>

#include "bare_client.hpp"
#include "child.hpp"
#include "floor.hpp"
#include "levels.hpp"
#include "report.hpp"
#include "stopwatch.hpp"
#include "support/redis_server.hpp"
#include "support/temp_dir.hpp"
#include "tasks.hpp"

namespace quarq::bench {
namespace {

awaitable<std::vector<double>> call_times(std::string url, std::size_t count) {
  machines where{queue(url, "levels")};
  std::vector<double> times;
  for (std::size_t i = 0; i < count + count / 10; ++i) {
    const stopwatch watch;
    const auto size = co_await where.run(bench::measure, argument());
    if (size != 120) throw std::runtime_error("a wrong result");
    // The first tenth warms up.
    if (i >= count / 10) times.push_back(watch.seconds());
  }
  co_return times;
}

void measure_calls(samples& to, const std::string& name, const std::string& url, std::size_t count) {
  child worker({"worker", "--broker", url, "--queue", "levels", "--log-level", "error"});
  add_percentiles(to, name, run(call_times(url, count)));
  worker.end(false);
}

void measure_machines(samples& to) {
  const test::temp_dir folder;
  measure_calls(to, "machines.run, sqlite:", "sqlite:" + folder / "jobs.db", 1000);
  test::redis_server_options memory_only;
  memory_only.extra = {"--save", ""};
  test::redis_server server(memory_only);
  measure_calls(to, "machines.run, redis:", fmt::format("redis://127.0.0.1:{}", server.plain_port()), 3000);
  report token(true);
  measure_redis_token(token, server.plain_port());
  for (const std::string p : {", p50", ", p99"}) {
    to.add("a token through RPUSH and BLPOP" + p, token.value("floor (redis)", "token there and back" + p));
  }
}

}  // namespace

part machines_part() {
  std::vector<row> rows;
  for (const std::string p : {", p50", ", p99"}) {
    rows.push_back({"machines.run, redis:" + p, "us", {times("a token through RPUSH and BLPOP" + p)}});
    rows.push_back({"a token through RPUSH and BLPOP" + p, "us"});
    rows.push_back({"machines.run, sqlite:" + p, "us"});
  }
  return {"machines",
          "level 1, machines: a call with its result, another process on this machine as the worker",
          measure_machines, std::move(rows)};
}

}  // namespace quarq::bench
