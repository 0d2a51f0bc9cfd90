// expect: a handler has one parameter for the body at most
#include <string>
#include <vector>

#include <quarq/http/server.hpp>

std::string one(std::vector<int> body);
std::string two(std::vector<int> body, std::vector<int> another);

void compiles(quarq::http::server& s) {
  s.post("/", one);
}

#ifdef MUST_FAIL
void must_not(quarq::http::server& s) {
  s.post("/", two);
}
#endif
