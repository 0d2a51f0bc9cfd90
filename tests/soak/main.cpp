// A soak: clients, workers and operators in processes of their own, a store of its own, faults by chance, and a
// checker that reads what all of them have noted.
//
//     soak --broker sqlite|redis|arq --minutes N --seed S
//
// Ends with 0 if no promise was broken, with 1 if one was (each is printed), with 2 if it could not run.
#include <cstdio>
#include <filesystem>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "programs/die_with_parent.hpp"
#include "soak/checker.hpp"
#include "soak/fleet.hpp"
#include "soak/journal.hpp"
#include "soak/place.hpp"
#include "soak/saboteur.hpp"
#include "support/temp_dir.hpp"

namespace quarq::soak {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

struct options {
  std::string broker = "sqlite";
  double minutes = 1;
  std::uint32_t seed = 1;
  int workers = 3, clients = 2, operators = 1;
  std::string keep_journal;
};

/// After the last fault. Cron is judged by this time.
constexpr auto healthy_for = 8s, settles_within = 5s;
constexpr auto drains_within = 90s;

void run_with_faults(const options& o, fleet& all, saboteur& faults) {
  const auto until = clock::now() + std::chrono::duration_cast<clock::duration>(
                                        std::chrono::duration<double>(o.minutes * 60));
  std::this_thread::sleep_for(2s);
  while (clock::now() < until) {
    faults.strike();
    std::this_thread::sleep_for(1s);
    all.attend();
    all.look();
  }
}

bool drain(place& where, fleet& all) {
  const auto until = clock::now() + drains_within;
  while (where.unfinished() > 0) {
    if (clock::now() > until) return false;
    all.attend();
    std::this_thread::sleep_for(200ms);
  }
  return true;
}

void print(const options& o, const report& found, const saboteur& faults) {
  fmt::print("soak of {}: {} minutes, seed {}\n", o.broker, o.minutes, o.seed);
  fmt::print(
      "  {} jobs acknowledged, {} starts, {} of them repeats; {} awaited, {} cancelled, {} refused, {} "
      "requeued, "
      "{} purged, {} runs of cron\n",
      found.acknowledged, found.started, found.repeated, found.awaited, found.cancelled, found.refused,
      found.requeued, found.purged, found.cron);
  for (const auto& [name, times] : faults.struck()) fmt::print("  {}: {} times\n", name, times);
}

int soak(const options& o) {
  test::temp_dir folder;
  const auto path = o.keep_journal.empty() ? folder / "journal" : o.keep_journal;
  std::filesystem::remove(path);
  journal_writer journal(path);
  place where(o.broker);
  if (!where.why_no_disk().empty())
    fmt::print("the disk is never full, as none can be mounted here: {}\n", where.why_no_disk());
  fleet all(where, path, o.seed * 1000, o.workers, o.clients, o.operators);
  saboteur faults(where, all, journal, o.seed);
  run_with_faults(o, all, faults);

  all.stop_operators();
  std::this_thread::sleep_for(settles_within);
  std::this_thread::sleep_until(faults.clocks_agree_from());
  const auto healthy_from = true_time();
  std::this_thread::sleep_for(healthy_for);
  const auto healthy_until = true_time();
  all.stop_clients();
  if (!drain(where, all))
    all.complaints.push_back(fmt::format("{} jobs had not ended in time", where.unfinished()));
  all.stop_workers();

  auto found = check(read_journal(path), where.ends(), healthy_from, healthy_until);
  for (auto& text : all.complaints) found.violations.push_back(std::move(text));
  for (const auto& what : where.left_over()) found.violations.push_back("left over: " + what);
  print(o, found, faults);
  constexpr std::size_t max_shown = 50;
  for (std::size_t i = 0; i < found.violations.size() && i < max_shown; ++i)
    fmt::print("BROKEN: {}\n", found.violations[i]);
  if (found.violations.size() > max_shown)
    fmt::print("... and {} more\n", found.violations.size() - max_shown);
  return found.violations.empty() ? 0 : 1;
}

}  // namespace
}  // namespace quarq::soak

int main(int argc, char** argv) {
  using namespace quarq::soak;
  options o;
  CLI::App app(
      "Runs jobs of all kinds while processes, connections and the store fail, and checks what came of "
      "them.");
  app.add_option("--broker", o.broker, "sqlite, redis or arq: a store of the soak's own");
  app.add_option("--minutes", o.minutes, "how long faults happen")->check(CLI::Range(0.05, 10'000.0));
  app.add_option("--seed", o.seed, "of the faults and of the clients");
  app.add_option("--workers", o.workers)->check(CLI::Range(1, 20));
  app.add_option("--clients", o.clients)->check(CLI::Range(1, 20));
  app.add_option("--operators", o.operators)->check(CLI::Range(1, 20));
  app.add_option("--journal", o.keep_journal, "a file to write the journal to, which is then kept");
  CLI11_PARSE(app, argc, argv);
  try {
    return soak(o);
  } catch (const std::exception& e) {
    fmt::print(stderr, "soak: {}\n", e.what());
    return 2;
  }
}
