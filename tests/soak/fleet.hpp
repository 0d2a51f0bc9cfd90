// The processes of a soak: workers, clients and operators.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "soak/journal.hpp"
#include "soak/place.hpp"
#include "support/process.hpp"

namespace quarq::soak {

/// What a process holds, to see whether it grows.
struct footprint {
  std::size_t memory_kib = 0;  ///< resident
  std::size_t descriptors = 0;
};
std::optional<footprint> footprint_of(pid_t pid);

/// A member keeps its place when its process is replaced.
struct member {
  std::unique_ptr<test::process> process;
  bool cuttable = false;  ///< its connections go through the proxy
  bool frozen = false;
  std::optional<footprint> early{};  ///< some seconds after its start
  micros started{};
};

class fleet {
 public:
  fleet(place& where, std::string journal, std::uint32_t seed, int workers, int clients, int operators);

  std::vector<member>& workers() { return workers_; }
  std::vector<member>& clients() { return clients_; }
  std::vector<member>& operators() { return operators_; }

  void start_worker(member& of);
  void start_client(member& of);
  void start_operator(member& of);
  /// Starts an operator's command, and judges how the last one ended, unless it still runs.
  void look();

  /// Notes the early footprints that are due, and starts again whoever has ended by himself: a worker must not.
  void attend();
  /// SIGTERM to all, and waits for their ends.
  void stop_operators();
  void stop_clients();
  void stop_workers();

  /// What was wrong with processes: ends that nobody asked for, growth.
  std::vector<std::string> complaints;

 private:
  void start(member& of, std::vector<std::string> words);
  const std::string& url_for(const member& of) const;
  void stop(std::vector<member>& all, const char* what);
  void compare_footprints(const std::vector<member>& all);

  std::map<std::string, std::string> environment_;
  std::uint32_t seed_;
  std::string url_, cuttable_url_;
  std::vector<member> workers_, clients_, operators_;
  std::size_t looks_ = 0;
  std::unique_ptr<test::process> looking_;
};

}  // namespace quarq::soak
