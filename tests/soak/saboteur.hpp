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

 private:
  struct fault {
    const char* name;
    void (saboteur::*strike)();
  };

  void kill_a_worker();
  void terminate_a_worker();
  void freeze_a_worker();
  void kill_a_client();
  void cut_connections();
  void stall_connections();
  void restart_the_server();
  void stop_the_server();
  void fill_the_server();
  void hold_the_write_lock();

  member& any(std::vector<member>& of) { return of[random_() % of.size()]; }
  /// Between the two, and passes.
  void pause(std::chrono::milliseconds least, std::chrono::milliseconds most);

  place& place_;
  fleet& fleet_;
  journal_writer& journal_;
  std::mt19937 random_;
  std::vector<fault> faults_;
  std::map<std::string, int> struck_;
};

}  // namespace quarq::soak
