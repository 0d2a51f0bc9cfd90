// expect: has no member named
// expect: awaitable<quarq::job<int>
// only: g++ before 12.3
//
// The compiler itself says what the variable is: an awaitable of a job, not the job.
#include <string>

#include <quarq/queue.hpp>

inline constexpr quarq::task<int(std::string url)> count_words{"count_words"};

quarq::awaitable<void> compiles(quarq::queue words) {
  auto job = co_await words.enqueue(count_words("http://127.0.0.1/"));
  co_await job.result();
}

#ifdef MUST_FAIL
quarq::awaitable<void> must_not(quarq::queue words) {
  auto job = words.enqueue(count_words("http://127.0.0.1/"));
  co_await job.result();
}
#endif
