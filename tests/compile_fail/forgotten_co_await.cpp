// expect: quarq: a coroutine runs only when it is awaited: write co_await before it
// only: g++ before 12.3
//
// clang shows the attribute of Asio's class instead, which has no text.
#include <string>

#include <quarq/machines.hpp>
#include <quarq/queue.hpp>
#include <quarq/time.hpp>

inline constexpr quarq::task<int(std::string url)> count_words{"count_words"};

quarq::awaitable<void> compiles(quarq::queue mails) {
  const auto job = co_await mails.enqueue(count_words("http://127.0.0.1/"));
  co_await job.cancel();
}

#ifdef MUST_FAIL
quarq::awaitable<void> must_not(quarq::queue mails) {
  mails.enqueue(count_words("http://127.0.0.1/"));
  co_return;
}
#endif
