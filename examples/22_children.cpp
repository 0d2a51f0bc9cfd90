// Jobs that enqueue other jobs and await them, in their own queue: more of them than the worker runs at once.
#include <iostream>

#include <quarq/quarq.hpp>

using namespace std::chrono_literals;

constexpr quarq::task<std::string(std::string album, int pictures)> make_album{"make_album", "album",
                                                                               "pictures"};
constexpr quarq::task<int(int picture)> shrink{"shrink", "picture"};

quarq::awaitable<int> do_shrink(int picture) {
  if (picture > 9) throw quarq::permanent_failure("picture " + std::to_string(picture) + " is broken");
  co_await quarq::sleep_for(5ms);
  co_return picture * 100;
}

// While it waits, its slot is free: otherwise two albums would take both slots, and no picture would be shrunk.
quarq::awaitable<std::string> do_make_album(quarq::context& ctx, std::string album, int pictures) {
  std::vector<quarq::call<int>> calls;
  for (int i = 1; i <= pictures; ++i) calls.push_back(shrink(i));
  // If one of them fails, this job does, and then nobody wants the others.
  const auto jobs = co_await ctx.enqueue(std::move(calls), {.cancel_with_parent = true});
  int bytes = 0;
  for (const auto& job : jobs) {
    const int size = co_await job->result();
    bytes += size;
  }
  co_return album + ": " + std::to_string(bytes) + " bytes";
}

quarq::awaitable<void> client(quarq::worker& worker) {
  quarq::queue queue("sqlite::memory:");
  std::vector<quarq::job<std::string>> albums;
  for (const char* name : {"Rome", "Oslo", "Kyoto", "Lima"}) {
    auto job = co_await queue.enqueue(make_album(name, 3));
    albums.push_back(std::move(job));
  }
  for (const auto& album : albums) {
    const std::string summary = co_await album.result();
    std::cout << summary << std::endl;
  }
  auto broken = co_await queue.enqueue(make_album("Paris", 12).attempts(1));
  try {
    co_await broken.result();
  } catch (const quarq::job_failed& e) {
    std::cout << "no album: " << e.what() << std::endl;
  }
  worker.stop();
}

quarq::awaitable<void> both(quarq::worker& worker) {
  co_await quarq::gather(worker.run(), client(worker));
}

int main() {
  quarq::worker worker({.broker = "sqlite::memory:", .concurrency = 2});
  worker.handle(make_album, do_make_album).handle(shrink, do_shrink);
  quarq::run(both(worker));
}

// It prints:
//   Rome: 600 bytes
//   Oslo: 600 bytes
//   Kyoto: 600 bytes
//   Lima: 600 bytes
//   no album: picture 10 is broken
