// Measures HAPI on the samples of a folder: java -cp 'lib/*' Measure.java FOLDER SECONDS.
// Prints a JSON object a line. HAPI writes no JSON, so it has no such task.

import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.HapiContext;
import ca.uhn.hl7v2.VersionLogger;
import ca.uhn.hl7v2.parser.Parser;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

public class Measure {
  // The whole process, so that the collection of garbage counts, as it does for the others.
  private static final OperatingSystemMXBean PROCESS = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  public static void main(String[] args) throws IOException, HL7Exception {
    double seconds = Double.parseDouble(args[1]);
    VersionLogger.init();
    String name = "HAPI " + VersionLogger.getVersion() + " (Maven, Java)";
    try (HapiContext context = new DefaultHapiContext();
        DirectoryStream<Path> files = Files.newDirectoryStream(Path.of(args[0]), "*.hl7")) {
      context.setValidationContext(ValidationContextFactory.noValidation());
      Parser parser = context.getPipeParser();
      for (Path file : files) {
        String text = Files.readString(file);
        String sample = file.getFileName().toString().replace(".hl7", "");
        speed(parser, text, 4 * seconds); // until it is compiled
        System.out.printf(Locale.ROOT, "{\"parser\":\"%s\",\"task\":\"parse\",\"sample\":\"%s\",\"MBps\":%g}%n",
            name, sample, speed(parser, text, seconds));
      }
    }
  }

  private static double speed(Parser parser, String text, double seconds) throws HL7Exception {
    long begin = PROCESS.getProcessCpuTime();
    for (long rounds = 1; ; rounds++) {
      parser.parse(text);
      double spent = (PROCESS.getProcessCpuTime() - begin) / 1e9;
      if (spent > seconds) {
        return rounds * text.length() / spent / 1e6;
      }
    }
  }
}
