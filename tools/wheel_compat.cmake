# For builds against the ros-* wheels of PyPI only; a ROS installation does not need it.
# Given as -DCMAKE_PROJECT_INCLUDE=, so that CMakeLists.txt stays an ordinary one.
#
# The imported targets in those wheels list Python's include folder of the container that built
# them. It is not on this machine, and CMake stops at an imported target with a missing include
# folder. Once CMakeLists.txt has been read, and before anything is generated, take these out.
# Python's own headers are not lost by it: they come from FindPython3.
function(actseg_drop_missing_include_folders)
  get_directory_property(imported IMPORTED_TARGETS)
  foreach(target ${imported})
    get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(folders)
      set(present ${folders})
      foreach(folder ${folders})
        # A generator expression is no path yet; leave it alone.
        if(IS_ABSOLUTE "${folder}" AND NOT EXISTS "${folder}")
          list(REMOVE_ITEM present "${folder}")
        endif()
      endforeach()
      set_property(TARGET ${target} PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${present}")
    endif()
  endforeach()
endfunction()

cmake_language(DEFER CALL actseg_drop_missing_include_folders)
