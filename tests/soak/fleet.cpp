#include "soak/fleet.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <unistd.h>

#include "soak/soak_tasks.hpp"

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

fleet::fleet(place& where, std::string journal, std::uint32_t seed, int workers, int clients, int operators)
    : environment_(where.clock().environment()),
      seed_(seed),
      url_(where.url()),
      cuttable_url_(where.cuttable_url()) {
  environment_["QUARQ_SOAK_JOURNAL"] = std::move(journal);
  workers_.resize(static_cast<std::size_t>(workers));
  clients_.resize(static_cast<std::size_t>(clients));
  operators_.resize(static_cast<std::size_t>(operators));
  workers_.front().cuttable = clients_.front().cuttable = where.on_redis();
  for (auto& w : workers_) start_worker(w);
  for (auto& c : clients_) start_client(c);
  for (auto& o : operators_) start_operator(o);
}

const std::string& fleet::url_for(const member& of) const {
  return of.cuttable ? cuttable_url_ : url_;
}

void fleet::start(member& of, std::vector<std::string> words) {
  of.process = std::make_unique<test::process>(std::move(words), environment_);
  of.frozen = false;
  of.early.reset();
  of.started = test::now_micros();
}

// Shorter leases would run out while a worker that is well makes its connection again, with pauses of up to 2 s.
void fleet::start_worker(member& of) {
  start(of, {test::program("soak_worker"), "--broker", url_for(of), "--queue", main_queue, "--queue",
             spare_queue, "--concurrency", "30", "--threads", "2", "--processes", "1", "--lease", "4",
             "--shutdown-timeout", "5", "--log-level", "warn"});
}

void fleet::start_client(member& of) {
  start(of, {test::program("soak_client"), "--broker", url_for(of), "--seed", std::to_string(++seed_),
             "--senders", "10"});
}

void fleet::start_operator(member& of) {
  start(of, {test::program("soak_operator"), "--broker", url_for(of), "--seed", std::to_string(++seed_)});
}

void fleet::look() {
  if (looking_) {
    const auto end = looking_->ended();
    if (!end) return;
    // 1: the store could not be reached, or there is no such job.
    if (end->code != 0 && end->code != 1)
      complaints.push_back(fmt::format("a quarq command ended with code {} and signal {}: {}", end->code,
                                       end->signal, test::tail(looking_->log(), 5)));
  }
  using words = std::vector<std::string>;
  const words commands[] = {
      {"jobs", "--limit", "20"}, {"queues"},        {"workers"},
      {"requeue", "nobody"},     {"job", "nobody"}, {"jobs", "--json", "--queue", spare_queue}};
  words command = commands[looks_++ % std::size(commands)];
  command.insert(command.begin(), test::program("quarq"));
  command.insert(command.end(), {"--broker", url_});
  looking_ = std::make_unique<test::process>(std::move(command), environment_);
}

void fleet::attend() {
  struct role {
    const char* name;
    std::vector<member>& members;
    void (fleet::*start)(member&);
  };
  const role roles[] = {{"worker", workers_, &fleet::start_worker},
                        {"client", clients_, &fleet::start_client},
                        {"operator", operators_, &fleet::start_operator}};
  const auto now = test::now_micros();
  for (const auto& role : roles) {
    for (auto& m : role.members) {
      if (!m.early && !m.frozen && now - m.started > warmed_up_after)
        m.early = footprint_of(m.process->pid());
      const auto end = m.process->ended();
      if (!end) continue;
      complaints.push_back(fmt::format("a {} ended by itself, with code {} and signal {}: {}", role.name,
                                       end->code, end->signal, test::tail(m.process->log(), 5)));
      (this->*role.start)(m);
    }
  }
}

void fleet::compare_footprints(const std::vector<member>& all) {
  for (const auto& m : all) {
    const auto late = footprint_of(m.process->pid());
    if (!m.early || !late) continue;
    if (late->memory_kib > m.early->memory_kib + memory_may_grow_kib)
      complaints.push_back(fmt::format("process {} grew from {} to {} KiB", m.process->pid(),
                                       m.early->memory_kib, late->memory_kib));
    if (late->descriptors > m.early->descriptors + descriptors_may_grow)
      complaints.push_back(fmt::format("process {} had {} descriptors and has {}", m.process->pid(),
                                       m.early->descriptors, late->descriptors));
  }
}

void fleet::stop(std::vector<member>& all, const char* what) {
  compare_footprints(all);
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

void fleet::stop_operators() {
  stop(operators_, "operator");
}

void fleet::stop_clients() {
  // A wait of theirs may last as long as its job.
  stop(clients_, "client");
}

void fleet::stop_workers() {
  stop(workers_, "worker");
}

}  // namespace quarq::soak
