// The words of four pages, counted at four levels of concurrency. The verb stays; one word changes.
#include <chrono>
#include <iomanip>
#include <iostream>
#include <sstream>

#include <quarq/http/client.hpp>
#include <quarq/quarq.hpp>

#include "../demo/tasks.hpp"
#include "test_environment.hpp"

using counts = std::vector<int>;

// The work: wait for a page, then count.
quarq::awaitable<int> words_in(std::string url) {
  static quarq::http::client web;  // for all threads and loops of this process
  const auto page = co_await web.get(url);
  if (!page.ok()) throw quarq::http::status_error("GET", url, page);
  std::istringstream words(page.body);
  int n = 0;
  for (std::string word; words >> word;) ++n;
  co_return n;
}

// One page after another.
quarq::awaitable<counts> in_turn(std::vector<std::string> urls) {
  counts all;
  for (const auto& url : urls) {
    const int n = co_await words_in(url);
    all.push_back(n);
  }
  co_return all;
}

// Level 4: all of them wait on this one thread.
quarq::awaitable<counts> on_coroutines(std::vector<std::string> urls) {
  quarq::coroutines coroutines;
  auto all = co_await coroutines.map(words_in, urls);
  co_return all;
}

// Level 3: each on a thread of its own.
quarq::awaitable<counts> on_threads(std::vector<std::string> urls) {
  quarq::thread_pool threads({.size = 4});
  auto all = co_await threads.map(words_in, urls);
  co_return all;
}

// Level 2: each in a process of its own. A page that crashes its reader costs one call.
quarq::awaitable<counts> on_processes(std::vector<std::string> urls) {
  quarq::process_pool processes({.size = 4});
  auto all = co_await processes.map(words_in, urls);
  co_return all;
}

// Level 1: wherever a worker is. It has the function; here the task's name is enough.
quarq::awaitable<counts> on_machines(std::vector<std::string> urls, std::string broker) {
  quarq::machines machines{quarq::queue(broker)};
  auto all = co_await machines.map(count_words, urls);
  co_return all;
}

// ---- the table

bool show(const std::string& level, quarq::awaitable<counts> work, const counts& expected) {
  const auto start = std::chrono::steady_clock::now();
  const counts found = quarq::run(std::move(work));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  std::cout << std::left << std::setw(12) << level << std::right;
  for (const int n : found) std::cout << std::setw(6) << n;
  std::cout << " words in " << std::fixed << std::setprecision(0) << took.count() << " ms"
            << (found == expected ? "" : ", which is wrong") << std::endl;
  return found == expected;
}

int main() {
  const test_environment around;
  const auto& urls = around.urls();
  const counts expected = quarq::run(in_turn(urls));
  bool agree = show("in turn", in_turn(urls), expected);
  agree = show("coroutines", on_coroutines(urls), expected) && agree;
  agree = show("threads", on_threads(urls), expected) && agree;
  agree = show("processes", on_processes(urls), expected) && agree;
  agree = show("machines", on_machines(urls, around.broker()), expected) && agree;
  return agree ? 0 : 1;
}

// It prints:
//   in turn        665  1225   589   842 words in <807> ms
//   coroutines     665  1225   589   842 words in <206> ms
//   threads        665  1225   589   842 words in <212> ms
//   processes      665  1225   589   842 words in <227> ms
//   machines       665  1225   589   842 words in <214> ms
