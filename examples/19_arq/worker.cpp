// A C++ worker for jobs that Python's arq enqueues; producer.py is the other side. Python's own workers may
// serve the same queue: no job is run by both.
#include <sstream>
#include <string>

#include <quarq/worker.hpp>

inline constexpr quarq::task<int(std::string text)> count_words{"count_words", "text"};

int do_count_words(std::string text) {
  std::istringstream words(text);
  int n = 0;
  for (std::string word; words >> word;) ++n;
  return n;
}

int main(int argc, char** argv) {
  quarq::worker worker;
  worker.options().broker = "arq://127.0.0.1:6379";
  worker.handle(count_words, do_count_words);
  return worker.main(argc, argv);
}
