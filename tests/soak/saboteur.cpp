#include "soak/saboteur.hpp"

#include <algorithm>
#include <csignal>
#include <thread>

#include "broker/sqlite/database.hpp"

namespace quarq::soak {

using namespace std::chrono_literals;

saboteur::saboteur(place& where, fleet& of, journal_writer& journal, std::uint32_t seed)
    : place_(where), fleet_(of), journal_(journal), random_(seed) {
  faults_ = {{"worker killed", &saboteur::kill_a_worker},
             {"worker terminated", &saboteur::terminate_a_worker},
             {"worker stopped", &saboteur::freeze_a_worker},
             {"client killed", &saboteur::kill_a_client},
             {"operator killed", &saboteur::kill_an_operator}};
  if (place_.on_redis()) {
    faults_.insert(faults_.end(), {{"connections cut", &saboteur::cut_connections},
                                   {"connections silent", &saboteur::stall_connections},
                                   {"server restarted", &saboteur::restart_the_server},
                                   {"server stopped", &saboteur::stop_the_server},
                                   {"server full", &saboteur::fill_the_server}});
  } else {
    faults_.insert(faults_.end(), {{"write lock held", &saboteur::hold_the_write_lock},
                                   {"write lock held", &saboteur::hold_the_write_lock}});
    if (place_.disk() != nullptr) faults_.push_back({"disk full", &saboteur::fill_the_disk});
  }
  if (clocks_can_be_set()) {
    faults_.push_back({"clock set", &saboteur::set_the_clock});
    if (place_.on_redis()) faults_.push_back({"server's clock set", &saboteur::set_the_servers_clock});
  }
}

void saboteur::strike() {
  const auto& chosen = faults_[random_() % faults_.size()];
  ++struck_[chosen.name];
  (this->*chosen.strike)();
}

void saboteur::pause(std::chrono::milliseconds least, std::chrono::milliseconds most) {
  const auto span = static_cast<unsigned>((most - least).count() + 1);
  std::this_thread::sleep_for(least + std::chrono::milliseconds(random_() % span));
}

void saboteur::kill_a_worker() {
  auto& worker = any(fleet_.workers());
  journal_.note_of(worker.process->pid(), "killed");
  worker.process->kill();
  fleet_.start_worker(worker);
}

void saboteur::terminate_a_worker() {
  auto& worker = any(fleet_.workers());
  journal_.note_of(worker.process->pid(), "terminated");
  worker.process->signal(SIGTERM);
  if (!worker.process->wait(20s))
    fleet_.complaints.push_back("a worker did not end within 20 s of SIGTERM:\n" +
                                test::tail(worker.process->log(), 5));
  fleet_.start_worker(worker);
}

// Shorter and longer than its lease of 4 s.
void saboteur::freeze_a_worker() {
  auto& worker = any(fleet_.workers());
  worker.frozen = true;
  journal_.note_of(worker.process->pid(), "frozen");
  worker.process->freeze();
  pause(200ms, 8s);
  worker.process->thaw();
  journal_.note_of(worker.process->pid(), "thawed");
  worker.frozen = false;
}

void saboteur::kill_a_client() {
  auto& client = any(fleet_.clients());
  client.process->kill();
  fleet_.start_client(client);
}

void saboteur::kill_an_operator() {
  auto& one = any(fleet_.operators());
  one.process->kill();
  fleet_.start_operator(one);
}

void saboteur::cut_connections() {
  for (const auto* all : {&fleet_.workers(), &fleet_.clients()}) {
    for (const auto& m : *all) {
      if (m.cuttable) journal_.note_of(m.process->pid(), "cut");
    }
  }
  place_.proxy().cut();
}

void saboteur::stall_connections() {
  std::vector<pid_t> silent;
  for (const auto* all : {&fleet_.workers(), &fleet_.clients()}) {
    for (const auto& m : *all) {
      if (m.cuttable) silent.push_back(m.process->pid());
    }
  }
  for (const auto pid : silent) journal_.note_of(pid, "frozen");
  place_.proxy().stall();
  pause(500ms, 5s);
  place_.proxy().cut();
  for (const auto pid : silent) journal_.note_of(pid, "thawed");
}

void saboteur::restart_the_server() {
  random_() % 2 == 0 ? place_.redis().kill() : place_.redis().terminate();
  pause(100ms, 4s);
  place_.redis().restart();
}

void saboteur::stop_the_server() {
  place_.redis().pause();
  pause(500ms, 6s);
  place_.redis().resume();
}

void saboteur::fill_the_server() {
  const auto set = [this](const std::string& limit) {
    place_.redis().command({"CONFIG", "SET", "maxmemory", limit});
  };
  place_.redis().command({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  set(place_.redis().info("memory", "used_memory"));
  pause(1s, 4s);
  set("0");
}

void saboteur::hold_the_write_lock() {
  broker::sqlite::database other(place_.file());
  sqlite3_busy_timeout(other.get(), 10'000);
  broker::sqlite::execute(other.get(), "BEGIN IMMEDIATE");
  pause(200ms, 6s);
  broker::sqlite::execute(other.get(), "ROLLBACK");
}

void saboteur::fill_the_disk() {
  constexpr std::size_t most_room = 256 * 1024;
  place_.disk()->fill(random_() % 2 == 0 ? 0 : random_() % most_room);
  pause(500ms, 6s);
  place_.disk()->make_room();
}

void saboteur::set_the_clock() {
  set(place_.clock(), !place_.on_redis());
}

void saboteur::set_the_servers_clock() {
  set(place_.servers_clock(), true);
}

void saboteur::set(wall_clock& of, bool decides_what_is_due) {
  constexpr int furthest_ms = 10'000;
  const std::chrono::milliseconds ahead(static_cast<int>(random_() % (2 * furthest_ms + 1)) - furthest_ms);
  const auto set = [&](std::chrono::microseconds to) {
    if (decides_what_is_due)
      journal_.note("clock",
                    {std::to_string(to.count()), std::to_string(place_.clock_known_within().count())});
    of.set(to);
  };
  set(ahead);
  pause(500ms, 4s);
  set(0ms);
  clocks_agree_from_ = std::max(clocks_agree_from_, true_time() + abs(ahead));
}

}  // namespace quarq::soak
