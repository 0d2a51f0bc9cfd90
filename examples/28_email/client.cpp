// Sends a campaign: an e-mail to each recipient, and shows how far that has come. It may be interrupted, and run again:
// an e-mail that is on its way, or was sent within a day, is not enqueued a second time.
//   email-client CAMPAIGN RECIPIENTS   with so many made-up recipients
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

#include <quarq/quarq.hpp>

#include "tasks.hpp"

using namespace std::chrono_literals;
using job = quarq::job<void>;

struct campaign {
  std::string name;
  std::size_t recipients = 0;

  std::string address(std::size_t number) const {
    return "customer" + std::to_string(number) + "@example.org";
  }
  // Who gets which campaign: however often it is enqueued, there is one such e-mail.
  std::string id(std::size_t number) const { return name + "/" + address(number); }
  quarq::call<void> call(std::size_t number) const {
    email mail;
    mail.to = address(number);
    mail.subject = "News of " + name;
    mail.text = "Dear customer " + std::to_string(number) + ", there is something new.";
    return send_email(mail).id(id(number)).keep_result(24h);
  }
};

struct enqueued {
  std::vector<job> jobs;
  std::size_t known = 0;  // from before
};

quarq::awaitable<enqueued> enqueue_all(quarq::queue queue, campaign what) {
  constexpr std::size_t at_once = 1'000;
  enqueued all;
  for (std::size_t first = 0; first < what.recipients; first += at_once) {
    std::vector<quarq::call<void>> calls;
    for (auto i = first; i < std::min(first + at_once, what.recipients); ++i) calls.push_back(what.call(i));
    const auto sent = co_await queue.enqueue(std::move(calls));
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if (!sent[i]) ++all.known;
      all.jobs.push_back(sent[i] ? *sent[i] : queue.find<void>(what.id(first + i)));
    }
  }
  co_return all;
}

quarq::awaitable<void> wait_for(job one) {
  co_await one.result();
}

// Returns how many failed, and says why the first of them did.
std::size_t show_failures(const std::vector<job>& jobs, const std::vector<quarq::outcome<void>>& ends) {
  constexpr std::size_t max_shown = 10;
  std::size_t failed = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (ends[i].ok()) continue;
    if (++failed <= max_shown) std::cout << jobs[i].id() << ": " << ends[i].message() << "\n";
  }
  return failed;
}

quarq::awaitable<void> send(campaign what) {
  const auto began = std::chrono::steady_clock::now();
  const auto all = co_await enqueue_all(quarq::queue(), what);
  const quarq::coroutines here;
  const auto ends = co_await here.map_outcomes(wait_for, all.jobs, {.max_concurrency = 1'000},
                                               quarq::terminal_bar("e-mails"));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;

  const auto failed = show_failures(all.jobs, ends);
  const auto sent = ends.size() - failed;
  std::cout << std::fixed << std::setprecision(1) << what.name << ": " << sent << " of " << ends.size()
            << " e-mails sent, " << failed << " failed, " << all.known << " known before; " << took.count()
            << " s, " << static_cast<double>(sent) / took.count() << " a second" << std::endl;
  if (failed > 0) throw quarq::error("not all e-mails could be sent");
}

int main(int argc, char** argv) {
  const auto recipients = argc == 3 ? std::strtoul(argv[2], nullptr, 10) : 0;
  if (recipients == 0) {
    std::cerr << "usage: email-client CAMPAIGN RECIPIENTS\n";
    return 2;
  }
  return quarq::main(send(campaign{argv[1], recipients}));
}
