#include "soak/fleet.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

namespace quarq::soak {

namespace {

using namespace std::chrono_literals;

/// When a process has all that it needs.
constexpr auto warmed_up_after = 10s;
constexpr std::size_t memory_may_grow_kib = 64 * 1024, descriptors_may_grow = 24;
/// A worker's --shutdown-timeout and more.
constexpr auto ends_within = 60s;

}  // namespace

std::optional<footprint> footprint_of(pid_t pid) {
  footprint found;
  std::size_t total = 0, resident = 0;
  if (!(std::ifstream(fmt::format("/proc/{}/statm", pid)) >> total >> resident)) return std::nullopt;
  found.memory_kib = resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 1024;
  std::error_code failed;
  for (std::filesystem::directory_iterator one(fmt::format("/proc/{}/fd", pid), failed), end;
       !failed && one != end; one.increment(failed))
    ++found.descriptors;
  return found;
}

fleet::fleet(place& where, std::string journal, std::uint32_t seed, int workers, int clients)
    : place_(where), environment_{{"QUARQ_SOAK_JOURNAL", std::move(journal)}}, seed_(seed) {
  workers_.resize(static_cast<std::size_t>(workers));
  clients_.resize(static_cast<std::size_t>(clients));
  workers_.front().cuttable = clients_.front().cuttable = place_.on_redis();
  for (auto& w : workers_) start_worker(w);
  for (auto& c : clients_) start_client(c);
}

void fleet::start_worker(member& of) {
  of.process = std::make_unique<test::process>(
      std::vector<std::string>{test::program("soak_worker"), "--broker",
                               of.cuttable ? place_.cuttable_url() : place_.url(), "--concurrency", "30",
                               "--threads", "2", "--processes", "1", "--lease", "2", "--shutdown-timeout",
                               "5", "--log-level", "warn"},
      environment_);
  of.frozen = false;
  of.early.reset();
  of.started = test::now_micros();
}

void fleet::start_client(member& of) {
  of.process = std::make_unique<test::process>(
      std::vector<std::string>{test::program("soak_client"), "--broker",
                               of.cuttable ? place_.cuttable_url() : place_.url(), "--seed",
                               std::to_string(++seed_), "--senders", "10"},
      environment_);
  of.frozen = false;
  of.early.reset();
  of.started = test::now_micros();
}

void fleet::look() {
  if (looking_ && !looking_->ended()) return;
  looking_ = std::make_unique<test::process>(
      std::vector<std::string>{test::program("quarq"), "jobs", "--broker", place_.url(), "--limit", "20"});
}

void fleet::attend() {
  const auto now = test::now_micros();
  for (auto* all : {&workers_, &clients_}) {
    for (auto& m : *all) {
      if (!m.early && !m.frozen && now - m.started > warmed_up_after)
        m.early = footprint_of(m.process->pid());
      const auto end = m.process->ended();
      if (!end) continue;
      const bool is_worker = all == &workers_;
      complaints.push_back(fmt::format("a {} ended by itself, with code {} and signal {}: {}",
                                       is_worker ? "worker" : "client", end->code, end->signal,
                                       test::tail(m.process->log(), 5)));
      is_worker ? start_worker(m) : start_client(m);
    }
  }
}

void fleet::compare_footprints() {
  for (auto* all : {&workers_, &clients_}) {
    for (auto& m : *all) {
      const auto late = m.process ? footprint_of(m.process->pid()) : std::nullopt;
      if (!m.early || !late) continue;
      if (late->memory_kib > m.early->memory_kib + memory_may_grow_kib)
        complaints.push_back(fmt::format("process {} grew from {} to {} KiB", m.process->pid(),
                                         m.early->memory_kib, late->memory_kib));
      if (late->descriptors > m.early->descriptors + descriptors_may_grow)
        complaints.push_back(fmt::format("process {} had {} descriptors and has {}", m.process->pid(),
                                         m.early->descriptors, late->descriptors));
    }
  }
}

void fleet::stop(std::vector<member>& all, const char* what) {
  for (auto& m : all) m.process->signal(SIGTERM);
  for (auto& m : all) {
    const auto end = m.process->wait(ends_within);
    if (end && end->code == 0) continue;
    complaints.push_back(
        fmt::format("a {} asked to stop {}: {}", what,
                    end ? fmt::format("ended with code {} and signal {}", end->code, end->signal)
                        : std::string("did not"),
                    test::tail(m.process->log(), 5)));
    m.process->kill();
  }
  all.clear();
}

void fleet::stop_clients() {
  compare_footprints();
  // A wait of theirs may last as long as its job.
  stop(clients_, "client");
}

void fleet::stop_workers() {
  stop(workers_, "worker");
}

}  // namespace quarq::soak
