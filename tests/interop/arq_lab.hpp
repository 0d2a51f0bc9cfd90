// What the tests beside Python are written with: one Redis, clients and workers in Python, and ours, all on the
// same keys. Those in Python are arq's own (real_client.py, real_worker.py), which ./dev test installs into
// build/arq, or speak its protocol (arq_client.py, arq_worker.py).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/quarq.hpp>

#include "support/default_timeout.hpp"
#include "support/on_loop.hpp"
#include "support/process.hpp"
#include "support/redis_server.hpp"

namespace quarq::test {

using namespace std::chrono_literals;
class python_server;

// Both workers have these.
inline constexpr task<int(int, int)> add{"add", "left", "right"};
inline constexpr task<int(std::string)> fail{"fail", "message"};
inline constexpr task<std::string(double)> nap{"nap", "seconds"};
inline constexpr task<std::string()> nap_at_first{"nap_at_first"};  ///< in Python, at its first try
inline constexpr task<void(int)> note{"note", "n"};
inline constexpr task<int(int, double)> try_again{"try_again", "tries", "defer"};  ///< again after `defer` s
// Only Python's.
inline constexpr task<int(std::string, int)> sell{"sell", "what", "left"};

/// A worker of ours, at work on a thread until the end of this object.
class quarq_worker {
 public:
  explicit quarq_worker(worker_options options);
  ~quarq_worker();

  /// Before start().
  quarq::worker& worker() { return worker_; }
  void start();
  /// As SIGTERM does; returns when it has stopped.
  void stop();

  /// What note() was called with.
  std::vector<int> noted() const;

 private:
  struct notes;
  std::shared_ptr<notes> notes_;
  quarq::worker worker_;
  std::thread thread_;
};

/// What is on Python's side of a test.
struct python_side {
  std::string codec;  ///< of arq: "pickle" or "msgpack"
  std::string arq;    ///< the folder in build/arq where it is installed; empty: what speaks its protocol

  friend void PrintTo(const python_side& side, std::ostream* out) { *out << side.codec << ' ' << side.arq; }
};

class arq_lab : public testing::TestWithParam<python_side> {
 protected:
  arq_lab();
  void SetUp() override;

  bool is_pickle() const { return GetParam().codec == "pickle"; }
  std::string url() const;
  worker_options options() const;

  /// What this program prints; `c` is a client. The test fails if it ends in an error.
  std::string python(const std::string& program) const;
  /// Its words are added to what every worker is started with. Returns when it polls.
  std::unique_ptr<process> python_worker(std::vector<std::string> words = {}) const;

  /// Runs a client of ours.
  void quarq(const std::function<awaitable<void>(queue)>& client) const {
    run_on_loop([&] { return client(queue(url())); });
  }

  /// What Python's Job.outcome() says of this exception; msgpack has none.
  std::string raised(const std::string& type, const std::string& message) const;

  std::string interpreter() const;
  std::string script(const char* of) const;
  /// Has imported what python()'s programs begin with.
  const python_server& clients() const;

  std::int64_t number(const std::vector<std::string>& command) const;
  std::string word(const std::vector<std::string>& command) const;
  std::vector<std::string> words(const std::vector<std::string>& command) const;
  bool exists(const std::string& key) const { return number({"EXISTS", key}) == 1; }
  std::vector<std::string> all_keys() const;

  redis_server server_;
};

/// Each codec with each kind of Python's side.
inline std::vector<python_side> python_sides() {
  std::vector<python_side> all;
  for (const char* arq : {"", "newest", "0.26"}) {
    for (const char* codec : {"pickle", "msgpack"}) all.push_back({codec, arq});
  }
  return all;
}

/// "pickle", "msgpack_arq_newest".
std::string name_of(const testing::TestParamInfo<python_side>& side);

#define IN_BOTH_CODECS(suite) INSTANTIATE_TEST_SUITE_P(in, suite, testing::ValuesIn(python_sides()), name_of)

/// What awaiting threw: "quarq::job_failed ValueError: boom".
template <class T>
awaitable<std::string> what_is_thrown(awaitable<T> work) {
  std::string seen = "nothing";
  try {
    co_await std::move(work);
  } catch (const retries_exhausted& e) {
    seen = "retries_exhausted " + e.type() + ": " + e.what();
  } catch (const job_failed& e) {
    seen = "job_failed " + e.type() + ": " + e.what();
  } catch (const timed_out& e) {
    seen = std::string("timed_out: ") + e.what();
  } catch (const cancelled&) {
    seen = "cancelled";
  } catch (const job_expired&) {
    seen = "job_expired";
  } catch (const std::exception& e) {
    seen = std::string("std::exception: ") + e.what();
  }
  co_return seen;
}

}  // namespace quarq::test
