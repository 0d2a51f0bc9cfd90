# quarq_embed_text(TARGET NAMESPACE FILE...) compiles text files (.lua, .sql) into TARGET. Each becomes a
# constant: claim.lua in src/broker/redis is quarq::broker::redis::claim_lua, declared in <the folder>/embedded.hpp
# of the build tree, included as "broker/redis/embedded.hpp".
function(quarq_embed_text target namespace)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated)
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
  set(body "#pragma once\n#include <string_view>\n\nnamespace ${namespace} {\n")
  foreach(file ${ARGN})
    get_filename_component(name ${file} NAME)
    string(REPLACE "." "_" name ${name})
    file(READ ${file} text)
    string(APPEND body "inline constexpr std::string_view ${name} = R\"embedded(${text})embedded\";\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  endforeach()
  string(APPEND body "}\n")
  file(CONFIGURE OUTPUT ${generated}/${folder}/embedded.hpp CONTENT "${body}" @ONLY)
  target_include_directories(${target} PRIVATE ${generated})
endfunction()
