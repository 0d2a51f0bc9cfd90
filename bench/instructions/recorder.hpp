// What is counted, and under which name.
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace quarq::bench::instructions {

/// Tells callgrind, under which this program runs, where a path begins and ends. Everything that any thread
/// does in between counts. Without callgrind nothing is counted.
class recorder {
 public:
  /// REQUIRES: the program runs under callgrind.
  void begin();
  /// Writes a profile whose trigger is this name. `units`: how many jobs, calls or messages the path was
  /// walked for. A path may be walked several times; the median counts.
  void end(const std::string& path, std::size_t units);

  const std::map<std::string, std::size_t>& units() const noexcept { return units_; }

 private:
  std::map<std::string, std::size_t> units_;  ///< by path
};

/// Each path is walked so often: the first time finds nothing prepared, and others are disturbed by how a busy machine
/// lets threads and servers take turns.
inline constexpr int times = 5;

/// Codecs, records, models, HTTP's parser: plain code.
void count_plain_code(recorder& to);
/// A whole worker, at a broker that costs nothing; and a pool of threads.
void count_running(recorder& to);
/// A call from http_machines to a server and back.
void count_calls(recorder& to);
/// What a client and a worker do at a store; the server's own work is in its process, and does not count.
void count_store(recorder& to, const std::string& store, const std::string& url);

}  // namespace quarq::bench::instructions
