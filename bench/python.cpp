#include "python.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "levels.hpp"

namespace quarq::bench {

std::string output_of(const std::vector<std::string>& command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  std::vector<std::string> words = command;
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, command.front().c_str(), &files, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::close(ends[1]);
  std::string said;
  std::array<char, 4096> chunk;
  for (ssize_t n = 0; error == 0 && (n = ::read(ends[0], chunk.data(), chunk.size())) > 0;) {
    said.append(chunk.data(), static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  if (error != 0 || ::waitpid(pid, &status, 0) != pid || status != 0) {
    throw std::runtime_error(fmt::format("{} failed", fmt::join(command, " ")));
  }
  return said;
}

std::string output_of_python(const std::string& script, const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"/usr/bin/python3", "-B", QUARQ_BENCH_SOURCE_DIR "/" + script};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return output_of(command);
}

void measure_python(samples& to, const std::string& part,
                    const std::vector<std::pair<std::string, std::string>>& names) {
  const auto figures = boost::json::parse(output_of_python("levels.py", {part}));
  for (const auto& [key, name] : names) to.add(name, figures.at(key).to_number<double>());
}

void measure_node(samples& to, const std::vector<std::pair<std::string, std::string>>& names) {
  const auto said = output_of(
      {"/bin/sh", "-c", "! command -v node >/dev/null || node '" QUARQ_BENCH_SOURCE_DIR "/levels.mjs'"});
  if (said.empty()) return;
  const auto figures = boost::json::parse(said);
  for (const auto& [key, name] : names) to.add(name, figures.at(key).to_number<double>());
}

}  // namespace quarq::bench
