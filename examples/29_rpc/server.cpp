// Serves the task of 01_hello over HTTP: the same function that its worker has. To be tried with the client beside it,
// or without any code:
//   curl -H 'Content-Type: application/json' -d '{"text": "one two"}' localhost:8080/rpc/count_words
#include <sstream>
#include <string>

#include <quarq/handlers.hpp>
#include <quarq/rpc/server.hpp>

#include "../01_hello/tasks.hpp"

int do_count_words(std::string text) {
  std::istringstream words(text);
  int n = 0;
  for (std::string word; words >> word;) ++n;
  return n;
}

int main(int argc, char** argv) {
  quarq::handlers all;  // a quarq::worker takes them as well: worker.handle(all)
  all.handle(count_words, do_count_words);
  quarq::rpc::server server(all);
  return server.main(argc, argv);  // --port N; until SIGTERM or Ctrl-C, which lets calls end
}
