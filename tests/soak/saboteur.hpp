// Does to a fleet and its store what nights do to them.
#pragma once

#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "soak/fleet.hpp"
#include "soak/journal.hpp"
#include "soak/place.hpp"

namespace quarq::soak {

class saboteur {
 public:
  saboteur(place& where, fleet& of, journal_writer& journal, std::uint32_t seed);

  /// One fault, chosen by chance, and its end. Blocks for as long as it lasts.
  void strike();
  /// How often each fault was chosen.
  const std::map<std::string, int>& struck() const { return struck_; }
  /// When the last effect of a clock that was set is over: what was due by it is then due by all.
  micros clocks_agree_from() const { return clocks_agree_from_; }

 private:
  struct fault {
    const char* name;
    void (saboteur::*strike)();
  };

  void kill_a_worker();
  void terminate_a_worker();
  void freeze_a_worker();
  void kill_a_client();
  void kill_an_operator();
  void cut_connections();
  void stall_connections();
  void restart_the_server();
  void stop_the_server();
  void fill_the_server();
  void hold_the_write_lock();
  void fill_the_disk();
  void set_the_clock();
  void set_the_servers_clock();

  /// For a while.
  void set(wall_clock& of, bool decides_what_is_due);
  member& any(std::vector<member>& of) { return of[random_() % of.size()]; }
  /// Between the two, and passes.
  void pause(std::chrono::milliseconds least, std::chrono::milliseconds most);

  place& place_;
  fleet& fleet_;
  journal_writer& journal_;
  std::mt19937 random_;
  std::vector<fault> faults_;
  std::map<std::string, int> struck_;
  micros clocks_agree_from_{};
};

}  // namespace quarq::soak
