#include "levels.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "report.hpp"

namespace quarq::bench {
namespace {

std::string two_places(double ratio) {
  return fmt::format("{:.{}f}", ratio, ratio < 10 ? 2 : ratio < 100 ? 1 : 0);
}

// "(>= 10: ok)"; empty if there is no target.
std::string met_or_missed(double value, std::optional<double> at_least, std::optional<double> at_most,
                          std::size_t& missed) {
  if (!at_least && !at_most) return "";
  const bool ok = (!at_least || value >= *at_least) && (!at_most || value <= *at_most);
  if (!ok) ++missed;
  return fmt::format(" ({} {}: {})", at_least ? ">=" : "<=", at_least ? *at_least : *at_most,
                     ok ? "ok" : "missed");
}

std::string compared_to(const samples& all, const row& r, std::size_t& missed) {
  const double value = all.median(r.what);
  std::vector<std::string> notes;
  if (r.at_least) notes.push_back("target" + met_or_missed(value, r.at_least, std::nullopt, missed));
  for (const auto& c : r.compared_to) {
    if (!all.has(c.other)) {
      notes.push_back(c.other + " is absent");
      continue;
    }
    const double ratio = c.inverse ? all.median(c.other) / value : value / all.median(c.other);
    notes.push_back(fmt::format("{} x {}{}{}", two_places(ratio), c.inverse ? "as fast as " : "", c.other,
                                met_or_missed(ratio, c.at_least, c.at_most, missed)));
  }
  return fmt::format("{}", fmt::join(notes, "; "));
}

std::size_t show(report& out, const part& p, const samples& all) {
  out.heading(p.title);
  std::size_t missed = 0;
  for (const auto& r : p.rows) {
    // TBB need not be there.
    if (!all.has(r.what)) continue;
    out.add({p.name, r.what, all.median(r.what), r.unit, compared_to(all, r, missed)});
  }
  return missed;
}

std::vector<part> all_parts() {
  return {coroutines_part(), threads_part(), speed_up_part(),
          processes_part(),  queues_part(),  machines_part()};
}

// Of the last minute.
double load_average() {
  std::ifstream in("/proc/loadavg");
  double one = 0;
  in >> one;
  return one;
}

// Figures of a busy machine mean little, and ratios may mislead: a measurement with two threads suffers more
// than one with a single thread.
std::string state_of_machine(double load, std::size_t rounds) {
  const auto processors = std::max(1u, std::thread::hardware_concurrency());
  return fmt::format(
      "{} processors, load average {:.2f} before the start, {} rounds{}", processors, load, rounds,
      load > 0.5 * processors ? "\nTHE MACHINE IS BUSY: these figures are not to be quoted" : "");
}

}  // namespace

int levels_main(int argc, char** argv) {
  std::size_t rounds = 5;
  bool json = false;
  std::string only;
  CLI::App app(
      "Measures the four levels, compared to their floors, other libraries and Python; medians of all "
      "rounds.");
  app.name("quarq-bench levels");
  app.add_option("--rounds", rounds, "how often everything is measured")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--only", only, "one part of it")
      ->check(CLI::IsMember({"coroutines", "threads", "speed_up", "processes", "queues", "machines"}));
  app.add_flag("--json", json, "the figures as JSON");
  CLI11_PARSE(app, argc, argv);
  try {
    report out(json);
    const double load = load_average();
    out.heading(state_of_machine(load, rounds));
    out.add({"machine", "load average before the start", load, "", ""});
    std::size_t missed = 0;
    for (const auto& p : all_parts()) {
      if (!only.empty() && p.name != only) continue;
      samples all;
      for (std::size_t i = 0; i < rounds; ++i) p.measure(all);
      missed += show(out, p, all);
    }
    out.heading(missed == 0 ? "all targets are met" : fmt::format("{} targets are missed", missed));
    out.print_json();
  } catch (const std::exception& e) {
    fmt::print(stderr, "quarq-bench: {}\n", e.what());
    return 1;
  }
  return 0;
}

}  // namespace quarq::bench
